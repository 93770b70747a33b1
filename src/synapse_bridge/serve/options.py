"""How to serve: every setting of a server.

:class:`Options` is the one table. Its fields make the options of the command line (``--max-calls``)
and the keys of the configuration's ``serve:`` section (``max_calls``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from synapse_bridge.serve import kind
from synapse_bridge.serve.address import Address, Tcp, Unix
from synapse_bridge.serve.kind import option
from synapse_bridge.serve.loading import CannotServe

_MAX_CONNECTIONS: Final = 10_000
_MAX_PENDING: Final = 512 * 1024 * 1024
_MAX_ARRIVAL: Final = 60.0


def _default_threads() -> int:
    # Like concurrent.futures: room for blocking calls without a crowd around the GIL.
    return min(32, (os.cpu_count() or 1) + 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a server. Times are in seconds, sizes in bytes.

    Raises :class:`CannotServe` for settings that do not go together.
    """

    listen: Address | None = option(
        None, kind.ADDRESS, "where to listen, in the place of --host and --port"
    )
    host: str = option("127.0.0.1", kind.TEXT, "address to listen on", metavar="HOST")
    port: int = option(0, kind.PORT, "port to listen on; 0 finds a free one")
    port_file: Path | None = option(
        None, kind.FILE, "write the port there once ready", command_line_only=True
    )
    reuse_port: bool = option(False, kind.SWITCH, "share the port with other processes")
    exit_with_parent: bool = option(
        False, kind.SWITCH, "stop when standard input ends", command_line_only=True
    )
    transport: Literal["http2", "grpcio"] = option(
        "http2", kind.one_of("http2", "grpcio"), "what carries the calls"
    )
    workers: int = option(1, kind.POSITIVE, "processes that share the port, each with a server")
    max_workers: int = option(
        _default_threads, kind.POSITIVE, "threads of a process for sync functions"
    )
    grace: float = option(
        30.0, kind.SECONDS, "time for running calls when the server stops", metavar="SECONDS"
    )
    debug: bool = option(False, kind.SWITCH, "send exception texts and tracebacks to clients")

    tls_cert: Path | None = option(
        None,
        kind.FILE,
        "PEM file with the certificate chain of the server; read again when changed",
    )
    tls_key: Path | None = option(None, kind.FILE, "PEM file with the private key to --tls-cert")
    client_ca: Path | None = option(
        None, kind.FILE, "PEM file with CAs: each client needs a certificate of one of them"
    )

    token_file: Path | None = option(
        None, kind.FILE, "bearer tokens, one name:token a line; read again when changed"
    )
    token_env: str | None = option(
        None,
        kind.TEXT,
        "environment variable with bearer tokens, as in --token-file",
        metavar="NAME",
    )
    jwt_keys: Path | None = option(
        None, kind.FILE, "JSON Web Key Set to check JWTs with; read again when changed"
    )
    jwt_issuer: str | None = option(None, kind.TEXT, "`iss` of every JWT", metavar="NAME")
    jwt_audience: str | None = option(None, kind.TEXT, "`aud` of every JWT", metavar="NAME")
    jwt_algorithms: tuple[str, ...] = option(
        ("RS256", "ES256", "EdDSA"), kind.NAMES, "algorithms that may sign a JWT"
    )
    jwt_leeway: float = option(
        0.0, kind.SECONDS, "how far clocks may differ for a JWT", metavar="SECONDS"
    )
    jwt_roles_claim: str = option(
        "roles", kind.TEXT, "claim of a JWT that has the roles", metavar="CLAIM"
    )
    auth_certificate: bool = option(
        False, kind.SWITCH, "a client's certificate (--client-ca) suffices, beside tokens"
    )
    authenticator: str | None = option(
        None, kind.TEXT, "your own: takes Credentials, returns an Identity or None",
        metavar="MODULE:FUNCTION",
    )  # fmt: skip
    authorizer: str | None = option(
        None, kind.TEXT, "your own: takes an Identity and a method, returns whether it may",
        metavar="MODULE:FUNCTION",
    )  # fmt: skip
    allow: tuple[str, ...] | None = option(
        None, kind.NAMES, "identities and roles that may call methods without a list of their own"
    )
    methods: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """The ``allow:`` lists of functions, by module and function."""
    open_health: bool = option(False, kind.SWITCH, "health needs no credentials")
    reflection: bool = option(True, kind.SWITCH, "clients may ask for the descriptors")

    max_message: int = option(64 * 1024 * 1024, kind.BYTES, "largest request and largest response")
    max_header: int = option(16 * 1024, kind.BYTES, "largest metadata of a call")
    max_connections: int = option(
        _MAX_CONNECTIONS, kind.POSITIVE, "connections at once, of a process"
    )
    max_calls: int = option(16_384, kind.POSITIVE, "calls at once, of a process")
    max_pending: int = option(
        _MAX_PENDING, kind.BYTES, "requests that no function has taken yet, of a process"
    )
    max_arrival: float = option(
        _MAX_ARRIVAL, kind.DURATION, "time for the request of a call to arrive whole",
        metavar="SECONDS",
    )  # fmt: skip
    max_peer_calls: int | None = option(
        None, kind.POSITIVE, "calls at once of one client address, of a process"
    )
    max_queue: int = option(1_000, kind.COUNT, "calls of sync functions that may wait for a thread")
    max_deadline: float | None = option(
        None, kind.DURATION, "calls end after that time, whatever their deadline",
        metavar="SECONDS",
    )  # fmt: skip

    access_log: Literal["json", "text"] | None = option(
        None, kind.one_of("json", "text"), "a line on standard error for every call"
    )
    telemetry: Literal["auto", "always", "never"] = option(
        "auto",
        kind.one_of("auto", "always", "never"),
        "OpenTelemetry; auto: where it is configured",
    )

    def __post_init__(self) -> None:
        """Check what goes together."""
        for wrong, told in (
            (
                self.tls_cert and not self.tls_key,
                "--tls-cert: needs --tls-key, the certificate's private key",
            ),
            (self.tls_key and not self.tls_cert, "--tls-key: needs --tls-cert, its certificate"),
            (
                self.client_ca and not self.tls_cert,
                "--client-ca: needs --tls-cert and --tls-key: only TLS has certificates",
            ),
            (
                self.auth_certificate and not self.client_ca,
                "--auth-certificate: needs --client-ca, which says whose certificates count",
            ),
            (
                self.jwt_keys and not (self.jwt_issuer and self.jwt_audience),
                "--jwt-keys: needs --jwt-issuer and --jwt-audience, else others' tokens count",
            ),
            (
                (self.jwt_issuer or self.jwt_audience) and not self.jwt_keys,
                "--jwt-issuer and --jwt-audience: need --jwt-keys",
            ),
            (
                (self.allow is not None or self.authorizer) and not self.authenticates,
                f"--{'authorizer' if self.authorizer else 'allow'}: needs something that says who "
                "calls: --token-file, --token-env, --jwt-keys, --client-ca or --authenticator",
            ),
            (
                self.transport == "grpcio" and self.max_connections != _MAX_CONNECTIONS,
                "--max-connections: --transport grpcio cannot count them; http2 does",
            ),
            (
                self.transport == "grpcio" and self.max_pending != _MAX_PENDING,
                "--max-pending: --transport grpcio cannot count them; http2 does",
            ),
            (
                self.transport == "grpcio" and self.max_arrival != _MAX_ARRIVAL,
                "--max-arrival: --transport grpcio waits for as long as it takes; http2 does not",
            ),
            (
                isinstance(self.listen, Unix) and self.port_file,
                "--port-file: a Unix socket has no port",
            ),
            (
                isinstance(self.listen, Unix) and (self.workers > 1 or self.reuse_port),
                "--listen: processes cannot share a Unix socket: choose a TCP address, or leave "
                "--workers and --reuse-port away",
            ),
        ):
            if wrong:
                raise CannotServe(told)

    @property
    def address(self) -> Address:
        """Where to listen."""
        return self.listen or Tcp(self.host, self.port)

    @property
    def authenticates(self) -> bool:
        """Whether a call needs an identity."""
        return self.identifies_by_certificate or self._has_other_authenticators

    @property
    def identifies_by_certificate(self) -> bool:
        """Whether a client's certificate says who it is: where nothing else does, or on demand."""
        return self.auth_certificate or bool(self.client_ca and not self._has_other_authenticators)

    @property
    def _has_other_authenticators(self) -> bool:
        return bool(self.token_file or self.token_env or self.jwt_keys or self.authenticator)
