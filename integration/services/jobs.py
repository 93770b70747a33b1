"""Long-running work: an object whose async methods share state.

The functions are those of one instance, :data:`runner`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from pydantic import BaseModel


class Report(BaseModel):
    """What became of a job."""

    label: str
    seconds: float
    thread: bool


class JobRunner:
    """Runs jobs, and remembers which were cancelled."""

    def __init__(self) -> None:
        self._cancelled: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._meetings: dict[str, tuple[list[str], asyncio.Event]] = {}

    async def wait(self, seconds: float, label: str = "job") -> Report:
        """Takes its time.

        :param seconds: How long.
        :param label: Under which name :meth:`cancelled` and :meth:`running` count it.
        :returns: What was done.
        """
        started = time.monotonic()
        self._running[label] += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self._cancelled[label] += 1
            raise
        finally:
            self._running[label] -= 1
        return Report(label=label, seconds=time.monotonic() - started, thread=False)

    def block(self, seconds: float, label: str = "job") -> Report:
        """Takes its time as synchronous code does: a thread is busy meanwhile.

        :param seconds: How long.
        :param label: Goes into the report.
        """
        started = time.monotonic()
        time.sleep(seconds)
        return Report(label=label, seconds=time.monotonic() - started, thread=True)

    async def cancelled(self, label: str) -> int:
        """Counts the calls of :meth:`wait` that were cancelled.

        :param label: Whose calls to count.
        """
        return self._cancelled[label]

    async def running(self, label: str) -> int:
        """Counts the calls of :meth:`wait` that have not ended.

        :param label: Whose calls to count.
        """
        return self._running[label]

    async def meet(self, place: str, name: str, party: int) -> list[str]:
        """Waits until as many calls as ``party`` are at the same place.

        No caller gets an answer before all have asked, so this returns only if the calls run at the
        same time.

        :param place: Where to meet.
        :param name: Who comes.
        :param party: How many are expected.
        :returns: Who came, in order of arrival.
        """
        names, complete = self._meetings.setdefault(place, ([], asyncio.Event()))
        names.append(name)
        if len(names) == party:
            complete.set()
            del self._meetings[place]
        await complete.wait()
        return names

    async def fail(self, after: float = 0.0) -> None:
        """Fails, late if asked to.

        :param after: Seconds until it fails.
        :raises ZeroDivisionError: Always.
        """
        await asyncio.sleep(after)
        raise ZeroDivisionError("division by a secret")


runner = JobRunner()
