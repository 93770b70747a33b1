"""What the clients of a server make it hold, all of them together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NoReturn

import grpc

from synapse_bridge.serve.exhausted import late
from synapse_bridge.serve.http2.messages import Refused

if TYPE_CHECKING:
    from synapse_bridge.serve.http2.connection import Connection
    from synapse_bridge.serve.http2.limits import Limits
    from synapse_bridge.serve.http2.stream import Stream

_EXHAUSTED: Final = grpc.StatusCode.RESOURCE_EXHAUSTED
_LOOKS: Final = 10
"""How often late calls are looked for in the time that they have."""


class Load:
    """The connections of a server, and what their peers have sent that no function has taken.

    ``opening`` counts TLS handshakes that go on, ``streams`` calls on the wire whether they run or
    not, and ``pending`` the bytes of their headers and requests, and of unfinished frames: there
    are to be ``most_pending`` at most.
    """

    def __init__(self, limits: Limits) -> None:
        self.connections: set[Connection] = set()
        self.opening = 0
        self.streams = 0
        self.pending = 0
        self.most_pending = limits.max_pending
        self._most_calls = limits.max_calls
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._arriving: dict[Stream, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        """Whether there must not be another connection."""
        return len(self.connections) + self.opening >= self._limits.max_connections

    def begin(self, size: int) -> None:
        """Count a call in, with so many bytes of headers; raises :class:`Refused`."""
        self.streams += 1
        self.pending += size
        if self.streams > self._most_calls:
            text = f"The server holds at most {self._most_calls} calls at once (max_calls)"
            raise Refused(_EXHAUSTED, text)
        if self.pending > self.most_pending:
            self.refuse()

    def end(self, size: int) -> None:
        """Count a call out, with all bytes that were counted for it."""
        self.streams -= 1
        self.pending -= size

    def refuse(self) -> NoReturn:
        """What has just come is more than ``most_pending``: raises :class:`Refused`."""
        text = f"The server holds at most {self.most_pending} bytes of requests (max_pending)"
        raise Refused(_EXHAUSTED, text)

    # A timer for each call would cost all of them, and few are late: so they are looked for.

    def watch(self) -> None:
        """From now on the one message of a call's request is to come in time."""
        self._timer = self._loop.call_later(self._limits.arrival / _LOOKS, self._look)

    def unwatch(self) -> None:
        """The server stops."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        arriving = {}
        for connection in self.connections:
            for stream in connection.streams.values():
                if stream.arriving:
                    arriving[stream] = self._arriving.get(stream, now)
        self._arriving = arriving
        for stream, since in list(arriving.items()):
            if now - since >= self._limits.arrival:
                stream.refuse(grpc.StatusCode.DEADLINE_EXCEEDED, late(self._limits.arrival))
        self.watch()
