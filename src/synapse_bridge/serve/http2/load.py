"""What the clients of a server make it hold, all of them together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import grpc

from synapse_bridge.serve.exhausted import late
from synapse_bridge.serve.http2.messages import Refused

if TYPE_CHECKING:
    from synapse_bridge.serve.http2.connection import Connection
    from synapse_bridge.serve.http2.limits import Limits
    from synapse_bridge.serve.http2.stream import Stream

_EXHAUSTED: Final = grpc.StatusCode.RESOURCE_EXHAUSTED


class Load:
    """The connections of a server, and what their peers have sent that no function has taken.

    ``opening`` counts TLS handshakes that go on, ``streams`` calls on the wire whether they run or
    not, and ``pending`` the bytes of their headers and requests, and of unfinished frames.
    """

    def __init__(self, limits: Limits) -> None:
        self.connections: set[Connection] = set()
        self.opening = 0
        self.streams = 0
        self.pending = 0
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
        if self.streams > self._limits.max_calls:
            text = f"The server holds at most {self._limits.max_calls} calls at once (max_calls)"
            raise Refused(_EXHAUSTED, text)
        self.check()

    def end(self, stream: Stream, size: int) -> None:
        """Count a call out, with all bytes that were counted for it."""
        self.streams -= 1
        self.pending -= size
        self._arriving.pop(stream, None)

    def check(self) -> None:
        """Refuse what has just come, if that is too much: raises :class:`Refused`."""
        limit = self._limits.max_pending
        if self.pending > limit:
            text = f"The server holds at most {limit} bytes of requests (max_pending)"
            raise Refused(_EXHAUSTED, text)

    # All have the same time, so it is over in the order in which they began: one timer is enough.

    def await_request(self, stream: Stream) -> None:
        """The one message of a call's request is to come in time."""
        self._arriving[stream] = ends = self._loop.time() + self._limits.arrival
        if self._timer is None:
            self._timer = self._loop.call_at(ends, self._look)

    def arrived(self, stream: Stream) -> None:
        """The request of a call is there."""
        self._arriving.pop(stream, None)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._arriving:
            stream, ends = next(iter(self._arriving.items()))
            if ends > now:
                self._timer = self._loop.call_at(ends, self._look)
                return
            del self._arriving[stream]
            stream.refuse(grpc.StatusCode.DEADLINE_EXCEEDED, late(self._limits.arrival))
