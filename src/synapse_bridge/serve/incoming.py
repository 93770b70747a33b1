"""Requests that come as a stream, as the iterator that a function reads.

An ``async`` function pulls: each item is read from the connection when it is asked for. A sync
function reads in a thread of its own pace, so requests are fetched ahead of it, but never more than
:data:`MESSAGES` or :data:`BYTES`: then the connection is left unread, HTTP/2's flow control stops
the client, and nothing piles up here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.message import Message

from synapse_bridge.context import Cancelled
from synapse_bridge.serve.codec import Codec

GRPCContext: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

EOF: object = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lag behind

MESSAGES = 64
BYTES = 256 * 1024


_GRACE = 0.01
"""Seconds in which a cancellation arrives that has happened."""


class Incoming:
    """The items of a request, for a function of either kind.

    ``failure`` is the error of an item that was no valid one. Reading raises it, and the call ends
    with it, even if the function goes on as if the stream had just ended. ``alone``: nothing is
    sent before the function has returned, and :meth:`settled` was awaited.
    """

    def __init__(self, codec: Codec, context: GRPCContext, *, alone: bool) -> None:
        self._codec = codec
        self._context = context
        self._alone = alone
        self._telling: asyncio.Future[None] | None = None
        self._first: Message | None = None
        self._at_end = False
        self.failure: Exception | None = None

    async def first(self) -> Message:
        """The first request, which has the arguments, too; an empty one if there is none."""
        data = await self._read()
        self._at_end = data is EOF
        self._first = self._codec.request(b"" if self._at_end else data)
        return self._first

    async def settled(self) -> None:
        """Wait until nothing is being sent from here."""
        if self._telling is not None:
            await self._telling

    async def items(self) -> AsyncIterator[Any]:
        """The items, for an async function."""
        count = 0
        if self._first is not None:
            for item in self._decoded(self._first, count):
                count += 1
                yield item
        while not self._at_end:
            data = await self._read()
            if data is EOF:
                return
            for item in self._decoded(data, count):
                count += 1
                yield item

    async def _read(self) -> Any:
        data = await self._context.read()
        if data is EOF and not getattr(self._context, "tells_the_end", False):
            await self._see_that_it_lives()
        return data

    async def _see_that_it_lives(self) -> None:
        """grpcio ends a stream that breaks off like one that is complete, and tells of the
        cancellation later. That must come before anybody takes a part for the whole."""
        if not self._alone:
            # Others may be sending: all that is left is to give the cancellation time.
            return await asyncio.sleep(_GRACE)
        self._telling = asyncio.get_running_loop().create_future()
        try:
            # Nothing can be sent over what has broken off.
            await self._context.send_initial_metadata(())
        except grpc.aio.UsageError:
            await asyncio.sleep(_GRACE)  # It has been sent already.
        except Exception as error:
            raise Cancelled("the call ended before its stream") from error
        finally:
            self._telling.set_result(None)

    def _decoded(self, request: bytes | Message, index: int) -> list[Any]:
        try:
            if isinstance(request, bytes):
                request = self._codec.request(request)
            return list(self._codec.items(request, index))
        except Exception as error:
            self.failure = error
            raise


class BlockingIncoming(Incoming):
    """The same for a sync function. Made and fed in the event loop, read in a thread."""

    def __init__(self, codec: Codec, context: GRPCContext, *, alone: bool) -> None:
        super().__init__(codec, context, alone=alone)
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._put = self._put_bytes = 0  # counted by the loop
        self._taken = self._taken_bytes = 0  # counted by the thread
        self._room: asyncio.Future[None] | None = None
        self._ended = False
        self._feeding: asyncio.Task[None] | None = None

    def feed(self) -> None:
        """Begin to fetch requests."""
        if not self._at_end:
            self._feeding = self._loop.create_task(self._feed())

    def close(self) -> None:
        """Fetch no more; a thread that waits for an item gets :class:`Cancelled`.

        A read under way is left alone: it ends with the call.
        """
        self._ended = True
        self._queue.put(None)
        self._make_room()

    def blocking_items(self) -> Iterator[Any]:
        """The items, for a sync function."""
        count = 0
        if self._first is not None:
            for item in self._decoded(self._first, count):
                count += 1
                yield item
        if self._at_end:
            return
        while (data := self._queue.get()) is not None and not self._ended:
            self._taken += 1
            self._taken_bytes += len(data)
            if self._room is not None and self._has_room(2):
                with suppress(RuntimeError):  # The loop is closed: the server has stopped.
                    self._loop.call_soon_threadsafe(self._make_room)
            for item in self._decoded(data, count):
                count += 1
                yield item
        if self._ended:
            raise Cancelled("the call ended before its stream")

    async def _feed(self) -> None:
        try:
            while (data := await self._read()) is not EOF and not self._ended:
                self._queue.put(data)
                self._put += 1
                self._put_bytes += len(data)
                while not self._ended and not self._has_room(1):
                    self._room = self._loop.create_future()
                    # The thread may have taken the last one before it could see that we wait.
                    if not self._has_room(1):
                        await self._room
                    self._room = None
        except Exception:
            # The call is over, and whoever made it so says why.
            self._ended = True
        self._queue.put(None)

    def _has_room(self, share: int) -> bool:
        """Whether less than that share of the bounds is waiting."""
        return (
            self._put - self._taken < MESSAGES // share
            and self._put_bytes - self._taken_bytes < BYTES // share
        )

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
