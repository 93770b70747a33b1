"""How often a peer may ask for work without carrying a call."""

from __future__ import annotations

import asyncio

from synapse_bridge.serve.http2.frames import ConnectionFault, ErrorCode


class Floods:
    """Counts the control frames of a connection: ``most`` in a second."""

    __slots__ = ("_count", "_loop", "_most", "_second")

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._second = 0.0
        self._count = 0

    def count(self) -> None:
        """There was one more; raises :class:`ConnectionFault` for one too many."""
        now = self._loop.time()
        if now - self._second >= 1:
            self._second, self._count = now, 0
        self._count += 1
        if self._count > self._most:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many control frames")
