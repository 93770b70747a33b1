"""The server's own limit on the time of a call.

It does what ``asyncio.timeout`` does, for a tenth of the price: as all calls have the same time,
they end in the order in which they came, and one timer of the event loop is enough for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


class Expired(Exception):
    """The time of a call is over, and the call has been cancelled."""


class _Running:
    """A call that runs; ``cancelling`` is how often its task had been cancelled before."""

    __slots__ = ("cancelling", "ends", "expired", "task")

    def __init__(self, task: asyncio.Task[Any], ends: float) -> None:
        self.task = task
        self.ends = ends
        self.cancelling = task.cancelling()
        self.expired = False


class Deadlines:
    """Ends calls after ``seconds``. Belongs to the event loop in which it is used."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[_Running, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, response: Awaitable[Any]) -> Any:
        """Wait for a response; raises :class:`Expired` when its time is over."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        running = _Running(task, loop.time() + self.seconds)
        self._running[running] = None
        if self._timer is None:
            self._timer = loop.call_at(running.ends, self._expire, loop)
        try:
            return await response
        except asyncio.CancelledError:
            # Whoever else has cancelled the task goes first.
            if running.expired and task.cancelling() - 1 <= running.cancelling:
                raise Expired from None
            raise
        finally:
            self._running.pop(running, None)
            if running.expired:
                task.uncancel()

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the calls whose time is over, and wait for that of the next one."""
        self._timer = None
        now = loop.time()
        while self._running:
            running = next(iter(self._running))
            if running.ends > now:
                self._timer = loop.call_at(running.ends, self._expire, loop)
                return
            del self._running[running]
            running.expired = True
            running.task.cancel()
