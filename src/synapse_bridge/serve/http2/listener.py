"""A listening socket, and the connections that it accepts until HTTP/2 is spoken on them."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from synapse_bridge.serve.http2 import frames
from synapse_bridge.serve.http2.frames import ErrorCode

if TYPE_CHECKING:
    from synapse_bridge.serve.http2.connection import Connection
    from synapse_bridge.serve.http2.load import Load

LOG = logging.getLogger("synapse_bridge.serve")

_AT_ONCE: Final = 100
"""Connections that are accepted before other work of the event loop goes on."""
_RETRY: Final = 0.5
"""Seconds until the next attempt, where there are no file descriptors left."""
_FULL: Final = frames.settings({}) + frames.goaway(
    0, ErrorCode.ENHANCE_YOUR_CALM, "max_connections"
)


class Listener:
    """Accepts connections of a bound socket as long as the ``load`` of the server allows.

    asyncio's own servers tell nobody of a TLS handshake that goes on or fails. Here it counts from
    the moment when the connection is accepted, and has to end within ``handshake`` seconds.
    """

    def __init__(
        self,
        bound: socket.socket,
        tls: ssl.SSLContext | None,
        load: Load,
        connection: Callable[[], Connection],
        handshake: float,
    ) -> None:
        self._bound = bound
        self._tls = tls
        self._load = load
        self._connection = connection
        self._handshake = handshake if tls else None
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take connections."""
        self._pause = None
        self._loop.add_reader(self._bound, self._accept)

    def close(self) -> None:
        """Take no more, and give up those that are not there yet."""
        if self._pause is not None:
            self._pause.cancel()
        else:
            self._loop.remove_reader(self._bound)
        self._bound.close()
        for task in self._opening:
            task.cancel()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                LOG.error("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._bound)
                self._pause = self._loop.call_later(_RETRY, self.start)
                return
            if self._load.full:
                self._refuse(accepted)
            else:
                self._load.opening += 1
                task = self._loop.create_task(self._open(accepted))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    def _refuse(self, accepted: socket.socket) -> None:
        LOG.info("a connection is closed: there are as many as max_connections allows")
        if self._tls is None:
            with suppress(OSError):
                accepted.send(_FULL)
        accepted.close()

    async def _open(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        if accepted.family != socket.AF_UNIX:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(
                self._connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake,
            )
        except OSError as error:  # so are ssl's, and the end of the time
            LOG.info("a connection did not get as far as HTTP/2: %s", error)
        finally:
            self._load.opening -= 1
