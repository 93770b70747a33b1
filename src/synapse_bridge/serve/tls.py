"""TLS: the server's certificate, and the CAs of its clients."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.watched import Watched, read_file


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a server's TLS."""

    cert: Path
    key: Path
    client_ca: Path | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The files' contents, which fit together."""

    cert: bytes
    key: bytes
    client_ca: bytes | None
    context: ssl.SSLContext


def context(options: Options) -> ssl.SSLContext | None:
    """TLS of our own transport, or ``None`` without. Raises :class:`CannotServe` for bad files.

    Files can be replaced while the server runs: they are looked at before every handshake. New ones
    that cannot be used leave the old in use.
    """
    watched = _watched(options)
    if watched is None:
        return None
    context = watched.get().context

    def take_newest(
        connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, of: ssl.SSLContext
    ) -> None:
        connection.context = watched.get().context

    # OpenSSL calls it for every handshake, with a server's name or without.
    context.sni_callback = take_newest
    return context


def credentials(options: Options) -> grpc.ServerCredentials | None:
    """The same for grpcio, which asks before every handshake whether there is something new."""
    watched = _watched(options)
    if watched is None:
        return None

    def fetch() -> Any:
        return _configuration(watched.get()) if watched.changed() else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(watched.get()),
        fetch,
        require_client_authentication=options.client_ca is not None,
    )


def _watched(options: Options) -> Watched[_Loaded] | None:
    if not options.tls_cert or not options.tls_key:
        return None
    files = Files(options.tls_cert, options.tls_key, options.client_ca)
    names = [path for path in (files.cert, files.key, files.client_ca) if path]
    return Watched(lambda: _load(files), *names)


def _configuration(loaded: _Loaded) -> Any:
    pair = (loaded.key, loaded.cert)
    return grpc.ssl_server_certificate_configuration([pair], loaded.client_ca)


def _load(files: Files) -> _Loaded:
    cert = read_file(files.cert, "--tls-cert")
    key = read_file(files.key, "--tls-key")
    context = _server_context(files)
    _shake_hands(files.cert, cert, context)
    client_ca = None
    if files.client_ca:
        client_ca = read_file(files.client_ca, "--client-ca")
        try:
            context.load_verify_locations(files.client_ca)
        except ssl.SSLError:
            text = f"--client-ca: {files.client_ca}: expected CA certificates in PEM form"
            raise CannotServe(text) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return _Loaded(cert, key, client_ca, context)


def _server_context(files: Files) -> ssl.SSLContext:
    """OpenSSL's opinion of the pair."""
    for option, path, label, what in (
        ("--tls-cert", files.cert, b"CERTIFICATE-----", "a certificate"),
        ("--tls-key", files.key, b"PRIVATE KEY-----", "a private key"),
    ):
        if label not in read_file(path, option):
            raise CannotServe(f"{option}: {path}: expected {what} in PEM form")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    try:
        # Without an answer of ours OpenSSL would ask for the password on the terminal.
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except _Encrypted:
        raise CannotServe(
            f"--tls-key: {files.key}: expected a key without a password; this one has one"
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            text = f"--tls-key: {files.key} is not the key of the certificate in {files.cert}"
            raise CannotServe(text) from None
        text = (
            f"--tls-cert, --tls-key: {files.cert}, {files.key}: expected a certificate and its key"
        )
        raise CannotServe(f"{text} in PEM form: {error.reason or 'unreadable'}") from None
    return context


class _Encrypted(Exception):
    """The private key has a password."""


def _no_password() -> str:
    raise _Encrypted


def _shake_hands(path: Path, cert: bytes, server: ssl.SSLContext) -> None:
    """See whether a client that trusts this very certificate accepts it: it may have expired."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=cert.decode("ascii", "replace"))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    try:
        for _ in range(4):
            for end in list(ends):
                try:
                    end.do_handshake()
                    ends.remove(end)
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError as error:
        raise CannotServe(f"--tls-cert: {path}: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise CannotServe(f"--tls-cert: {path}: {error.reason}") from None
