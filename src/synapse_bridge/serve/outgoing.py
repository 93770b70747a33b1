"""Results that a sync function gives one by one, on their way from a thread to the connection.

The thread runs ahead of the client, but never by more than :data:`MESSAGES` or :data:`BYTES`. Then
the generator rests, and its thread is free for other calls; once half of that is sent, any thread
of the pool goes on with it. So a client that reads slowly, or not at all, costs no thread. A
generator is never run by two threads at once, and keeps its context variables.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress

from google.rpc.status_pb2 import Status

from synapse_bridge.serve.threads import Threads

MESSAGES = 64
BYTES = 256 * 1024


class Outgoing:
    """The responses that a generator makes in a thread. Belongs to the event loop.

    ``on_error`` makes the status of what it raises; it is called in the thread.
    """

    def __init__(
        self,
        responses: Generator[bytes, None, None],
        threads: Threads,
        on_error: Callable[[BaseException], Status],
    ) -> None:
        self._responses = responses
        self._threads = threads
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._variables = contextvars.copy_context()
        self._ready: deque[bytes] = deque()
        self._made_bytes = self._sent_bytes = 0  # counted by the thread, and by the loop
        self._working = False
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        self._ended = False
        self._status: Status | None = None
        self._abandoned = False

    async def send(self, write: Callable[[bytes], Awaitable[None]]) -> Status | None:
        """Write all responses; returns the status to end with, if it is an error's.

        If this is cancelled, or ``write`` fails, nobody wants the rest: the generator is closed, in
        a thread, as soon as it yields.
        """
        try:
            self._go_on(admitted=False)
            while True:
                while self._ready:
                    response = self._ready.popleft()
                    self._sent_bytes += len(response)
                    if not self._working and not self._ended and self._has_room(2):
                        self._go_on()
                    await write(response)
                if self._ended and not self._ready:
                    return self._status
                await self._more()
        finally:
            self._abandoned = True
            if not self._working and not self._ended:
                self._go_on()

    async def _more(self) -> None:
        self._waiter = self._loop.create_future()
        # The thread may have made one before it could see that we wait.
        if not self._ready and not self._ended:
            await self._waiter
        self._waiter = None

    def _go_on(self, *, admitted: bool = True) -> None:
        self._working = True
        job = self._threads.run(self._work, None, self._variables, admitted=admitted)
        job.add_done_callback(self._rest)

    def _rest(self, _: asyncio.Future[None]) -> None:
        self._working = False
        if not self._ended and (self._abandoned or self._has_room(2)):
            self._go_on()

    def _work(self, _: None) -> None:
        try:
            while not self._abandoned:
                response = next(self._responses)
                self._made_bytes += len(response)
                self._ready.append(response)
                self._wake()
                if not self._has_room(1):
                    return
            self._responses.close()
        except StopIteration:
            pass
        except BaseException as error:
            self._status = self._on_error(error)
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        """Tell the loop, if it waits and was not told yet."""
        if self._waiter is not None and not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # The loop is closed: the server has stopped without us.
                self._loop.call_soon_threadsafe(self._woke)

    def _woke(self) -> None:
        self._woken = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _has_room(self, share: int) -> bool:
        """Whether less than that share of the bounds is waiting."""
        waiting = self._made_bytes - self._sent_bytes
        return len(self._ready) < MESSAGES // share and waiting < BYTES // share
