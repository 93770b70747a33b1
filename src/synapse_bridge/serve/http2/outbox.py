"""What a connection sends, gathered so that one turn of the event loop is one system call."""

from __future__ import annotations

import asyncio
from typing import Final

_FLUSH_AT: Final = 64 * 1024
_MOST_UNSENT: Final = 16 * 1024 * 1024


class Outbox:
    """Bytes on their way to a transport.

    ``paused`` is true while the transport has more than it can send; streams wait then. Answers to
    control frames do not, so a peer that sends those and reads nothing is cut off.
    """

    __slots__ = ("_loop", "_out", "_scheduled", "_size", "_transport", "paused")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._out: list[bytes] = []
        self._size = 0
        self._scheduled = False
        self.paused = False

    def write(self, data: bytes) -> None:
        """Send bytes, with all others of this turn of the event loop."""
        self._out.append(data)
        self._size += len(data)
        if self._size >= _FLUSH_AT:
            self.flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def flush(self) -> None:
        """Hand everything to the transport."""
        out, self._out, self._size = self._out, [], 0
        if not out or self._transport.is_closing():
            return
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        if self.paused and self._transport.get_write_buffer_size() > _MOST_UNSENT:
            self._transport.abort()

    def _turn(self) -> None:
        self._scheduled = False
        self.flush()
