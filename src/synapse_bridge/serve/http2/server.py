"""Listening sockets, and the end of them all."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Final

import grpc

from synapse_bridge.serve.address import private
from synapse_bridge.serve.http2.connection import Connection
from synapse_bridge.serve.http2.dispatch import Dispatch
from synapse_bridge.serve.http2.limits import Limits
from synapse_bridge.serve.http2.listener import Listener
from synapse_bridge.serve.http2.load import Load

_BACKLOG: Final = 1024

_PATIENCE: Final = 1.0
"""Seconds, when no call runs, for clients to say that they send no more."""
_LOOK: Final = 0.005


class Server:
    """A gRPC server; what of ``grpc.aio.Server`` serving needs, with the same meaning.

    Belongs to the event loop that runs when it is made. TLS comes as an ``ssl.SSLContext``, whose
    certificates can be loaded anew while the server runs.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._loop = asyncio.get_running_loop()
        self._load = Load(self._limits)
        self._dispatch = Dispatch()
        self._sockets: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        self._listeners: list[Listener] = []

    def add_generic_rpc_handlers(
        self, handlers: Sequence[grpc.GenericRpcHandler[Any, Any]]
    ) -> None:
        """Add handlers; of those that know a method, the first one takes it."""
        self._dispatch.handlers += handlers

    def add_registered_method_handlers(
        self, service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """What protoc's code calls beside :meth:`add_generic_rpc_handlers`; that is enough."""

    def bind(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        reuse_port: bool = False,
    ) -> int:
        """Bind an address; returns the port. Raises ``OSError`` where that is impossible."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
        )
        return self.adopt(bound, tls=tls)

    def bind_unix(self, path: str, *, tls: ssl.SSLContext | None = None) -> None:
        """Bind a Unix socket that only this user can open; raises ``OSError``."""
        bound = socket.socket(socket.AF_UNIX)
        try:
            with private():
                bound.bind(path)
        except OSError:
            bound.close()
            raise
        bound.listen(_BACKLOG)
        self.adopt(bound, tls=tls)

    def adopt(self, bound: socket.socket, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen on a socket that is bound already; returns its port, 0 for a Unix socket."""
        bound.setblocking(False)
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._sockets.append((bound, tls))
        name = bound.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    async def start(self) -> None:
        """Take connections."""
        limits = self._limits
        for bound, tls in self._sockets:
            listener = Listener(bound, tls, self._load, self._connection, limits.handshake)
            listener.start()
            self._listeners.append(listener)
        self._load.watch()

    def _connection(self) -> Connection:
        return Connection(self._dispatch, self._limits, self._load)

    async def stop(self, grace: float | None = None) -> None:
        """Take no more connections and calls; cancel what still runs after ``grace`` seconds."""
        while self._listeners:
            self._listeners.pop().close()
        self._load.unwatch()
        for connection in list(self._load.connections):
            connection.drain()
        await asyncio.sleep(0)  # so that calls which have come begin
        await self._drained(self._loop.time() + (grace or 0))
        late = set(self._dispatch.tasks)
        for task in late:
            task.cancel()
        if late:
            # One that goes on after its cancellation cannot be waited for.
            await asyncio.wait(late, timeout=1)
        for connection in list(self._load.connections):
            connection.close()

    async def _drained(self, end: float) -> None:
        """Wait until no call runs, and none is on its way any more, or until ``end``.

        A client that has heard that it is to send no more says so; then its connection closes. One
        that says nothing is not waited for long.
        """
        tasks, patience = self._dispatch.tasks, _PATIENCE
        while (tasks or self._load.connections) and patience > 0 and self._loop.time() < end:
            if tasks:
                await asyncio.wait(set(tasks), timeout=end - self._loop.time())
            else:
                await asyncio.sleep(_LOOK)
                patience -= _LOOK
