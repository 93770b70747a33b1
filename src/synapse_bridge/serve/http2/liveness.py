"""Whether the peer of a connection is there at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Liveness:
    """Aborts a connection whose peer does not begin, or is silent and answers no PING.

    Times are in seconds: ``handshake`` for the beginning and for an answer, ``silence`` before the
    peer is asked. ``heard`` is to be set whenever something comes.
    """

    def __init__(
        self,
        handshake: float,
        silence: float,
        ask: Callable[[], None],
        abort: Callable[[], None],
    ) -> None:
        self.heard = False
        self._loop = asyncio.get_running_loop()
        self._handshake = handshake
        self._silence = silence
        self._ask = ask
        self._abort = abort
        self._timer = self._loop.call_later(handshake, abort)

    def begun(self) -> None:
        """The peer speaks HTTP/2."""
        self._next(self._silence, self._look)

    def leaving(self) -> None:
        """What is left for the peer has to be read in the time that an answer may take."""
        self._next(self._handshake, self._abort)

    def stop(self) -> None:
        """The connection is over."""
        self._timer.cancel()

    def _look(self) -> None:
        if self.heard:
            self._next(self._silence, self._look)
        else:
            self._ask()
            self._next(self._handshake, self._judge)

    def _judge(self) -> None:
        if self.heard:
            self._next(self._silence, self._look)
        else:
            self._abort()

    def _next(self, delay: float, step: Callable[[], None]) -> None:
        self.heard = False
        self._timer.cancel()
        self._timer = self._loop.call_later(delay, step)
