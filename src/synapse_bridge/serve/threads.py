"""A bounded pool of threads for sync functions.

It does what ``loop.run_in_executor`` does, for less: one future a call instead of two, and the
event loop is woken once for all results that are ready. That matters because the hop is a large
part of a short call.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from synapse_bridge.serve.exhausted import Exhausted

T = TypeVar("T")
_Job: TypeAlias = "tuple[asyncio.Future[Any], contextvars.Context, Callable[[Any], Any], Any]"


class Threads:
    """At most ``limit`` threads, started when needed; ``queue`` calls beyond that wait.

    Belongs to the event loop that runs when it is made, and is used from there. The threads are
    daemons: one that never returns cannot keep the process from ending.
    """

    def __init__(self, limit: int, queue: int | None = None) -> None:
        if limit < 1:
            raise ValueError(f"a pool needs at least one thread, not {limit}")
        self._limit = limit
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._results: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._threads: list[threading.Thread] = []
        self._pending = 0
        self._woken = False

    def run(
        self,
        function: Callable[[Any], T],
        argument: Any,
        context: contextvars.Context | None = None,
        *,
        admitted: bool = False,
    ) -> asyncio.Future[T]:
        """Call ``function(argument)`` in a thread, in ``context`` or a copy of the current one.

        ``function`` must not raise: it returns what it has to say. A call whose future is cancelled
        before a thread takes it is never made; later, its result is dropped. Raises
        :class:`Exhausted` where all threads are busy and the queue is full, unless it belongs to a
        call that has been ``admitted``.
        """
        if not admitted and self._queue is not None and self._pending >= self._limit + self._queue:
            raise Exhausted(
                f"All {self._limit} threads (max_workers) are busy and {self._queue} calls "
                "(max_queue) wait for them"
            )
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((future, context or contextvars.copy_context(), function, argument))
        self._pending += 1
        if self._pending > len(self._threads) < self._limit:
            name = f"synapse-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def close(self) -> None:
        """Let idle threads end, and busy ones when they are done."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            future, context, function, argument = job
            result = None if future.cancelled() else context.run(function, argument)
            self._results.append((future, result))
            # Appending before looking, here, and resetting before draining, in _deliver: whoever
            # loses the race, the result is either drained or woken for once more.
            if not self._woken:
                self._woken = True
                try:
                    self._loop.call_soon_threadsafe(self._deliver)
                except RuntimeError:  # The loop is closed: the server has stopped without us.
                    return
            del job, future, context, argument, result

    def _deliver(self) -> None:
        self._woken = False
        while self._results:
            future, result = self._results.popleft()
            self._pending -= 1
            if not future.cancelled():
                future.set_result(result)
