"""Streamable HTTP: the SDK's application, guarded by the server's own authentication."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn  # pants: no-infer-dep
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser  # pants: no-infer-dep
from mcp.server.auth.provider import AccessToken  # pants: no-infer-dep
from mcp.server.transport_security import TransportSecuritySettings  # pants: no-infer-dep

from synapse_bridge.mcp.server import ToolServer
from synapse_bridge.serve.address import Tcp
from synapse_bridge.serve.auth import Access, Credentials
from synapse_bridge.serve.http2 import peer
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import warn_if_plain

LOG = logging.getLogger("synapse_bridge.mcp")

PATH = "/mcp"
"""Where the one endpoint is."""


class HTTP:
    """Serves tools at an address, which is bound at once. Raises :class:`CannotServe`."""

    def __init__(self, server: ToolServer, options: Options) -> None:
        self._options = options
        self._socket = _bound(Tcp(options.host, options.port))
        self.address = Tcp(options.host, self._socket.getsockname()[1])
        scheme = "https" if options.tls_cert else "http"
        self.url = f"{scheme}://{self.address}{PATH}"
        self._app: Any = server.mcp.streamable_http_app(
            streamable_http_path=PATH,
            max_request_body_size=options.max_message,
            transport_security=_security(self.address),
        )
        if server.access is not None:
            self._app = Guard(self._app, server.access)
        self._server: _Server | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until :meth:`stop`; ``ready`` is called once requests are answered."""
        self._warn()
        options = self._options
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="on",
            server_header=False,
            h11_max_incomplete_event_size=options.max_header,
            timeout_graceful_shutdown=round(options.grace),
            ssl_certfile=options.tls_cert,
            ssl_keyfile=options.tls_key,
        )
        try:
            self._server = _Server(config, ready)
            await self._server.serve([self._socket])
        except OSError as error:
            raise CannotServe(f"--tls-cert, --tls-key: they cannot be used: {error}") from error

    def stop(self) -> None:
        """Take no more requests, and give those that run the grace period."""
        if self._server is not None:
            # This also ends the streams that clients keep open for what a server may want to say.
            self._server.handle_exit(signal.SIGTERM, None)

    def _warn(self) -> None:
        warn_if_plain(self.address, self._options)
        if not self.address.is_loopback() and not self._options.authenticates:
            LOG.warning(
                "%s is open to other machines, and whoever connects may call: say --token-file, "
                "--token-env, --jwt-keys or --authenticator, or listen on 127.0.0.1",
                self.address,
            )


class _Server(uvicorn.Server):
    def __init__(self, config: Any, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()


class Guard:
    """Lets requests through whose sender is known, to an ASGI application.

    A session belongs to who has begun it: the SDK sees to that, by the user it finds here.
    """

    def __init__(self, app: Any, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = await self._access.identify(_credentials(scope))
        if identity is None:
            await _refuse(send)
            return
        known = AccessToken(token="", client_id=identity.name, scopes=[], subject=identity.kind)
        scope["user"] = AuthenticatedUser(known)
        await self._app(scope, receive, send)


def _credentials(scope: Any) -> Credentials:
    headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]]
    return Credentials(headers, peer.named(scope.get("client")), {})


async def _refuse(send: Any) -> None:
    """RFC 6750, section 3."""
    head = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 401, "headers": head})
    await send({"type": "http.response.body", "body": b""})


def _bound(address: Tcp) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise CannotServe(address.problem(error)) from error


def _security(address: Tcp) -> TransportSecuritySettings | None:
    """On a loopback address, only what a program of this machine would say: a page in a browser
    that has the address by a name of its own (DNS rebinding) says another host or origin."""
    if not address.is_loopback():
        return None
    host = str(address).rpartition(":")[0]
    hosts = sorted({host, "127.0.0.1", "localhost", "[::1]"})
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[f"{one}:*" for one in hosts],
        allowed_origins=[f"{scheme}://{one}:*" for scheme in ("http", "https") for one in hosts],
    )
