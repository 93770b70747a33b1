"""One call on the wire: its messages in both directions, and the trailers that end it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc

from synapse_bridge.serve.http2 import fields, frames
from synapse_bridge.serve.http2.fields import Metadata, Request
from synapse_bridge.serve.http2.frames import ErrorCode, StreamFault
from synapse_bridge.serve.http2.messages import PREFIX, Messages, Refused, prefixed, too_large

if TYPE_CHECKING:
    from synapse_bridge.serve.http2.connection import Connection

_YIELD_AFTER: Final = 64
"""Messages after which a stream lets other work of the event loop go first."""


class Gone(Exception):
    """The call is over on the wire: nothing can be sent, and nothing will come."""


class Stream:
    """A stream of a connection.

    ``ended``: the peer has sent all that it wants to. ``closed``: nothing goes in either direction
    any more. ``handler`` and ``task`` are what :mod:`.dispatch` runs for it.
    """

    __slots__ = (
        "_messages",
        "_reader",
        "_receive_window",
        "_total",
        "_turns",
        "_writer",
        "closed",
        "connection",
        "deadline",
        "ended",
        "handler",
        "head_sent",
        "id",
        "request",
        "send_window",
        "task",
        "timer",
    )

    def __init__(self, connection: Connection, id_: int, request: Request) -> None:
        self.connection = connection
        self.id = id_
        self.request = request
        self.ended = False
        self.closed = False
        self.head_sent = False
        self.send_window = connection.peer_window
        self.handler: grpc.RpcMethodHandler[Any, Any] | None = None
        self.task: asyncio.Task[None] | None = None
        self.deadline: float | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._messages = Messages(connection.limits.max_receive, request.encoding)
        self._receive_window = connection.limits.window
        self._total = 0
        self._turns = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    @property
    def arriving(self) -> bool:
        """Whether the handler waits for the whole request, which has not come."""
        return self.handler is not None and self.task is None and not self.ended

    # What the peer sends

    def receive(self, data: bytes, size: int) -> None:
        """Take the payload of a DATA frame, ``size`` bytes with its padding.

        Raises :class:`Refused` for a message that is too large or malformed, and for any when the
        server holds too much.
        """
        self._receive_window -= size
        if self._receive_window < 0:
            raise StreamFault(self.id, ErrorCode.FLOW_CONTROL_ERROR, "more data than the window")
        self._total += len(data)
        load, messages = self.connection.load, self._messages
        before = messages.size
        try:
            messages.feed(data)
        finally:
            load.pending += messages.size - before
        if load.pending > load.most_pending:
            load.refuse()
        self._replenish()
        if self._reader is not None and self._messages.ready:
            _wake(self._reader)

    def end(self) -> None:
        """The peer has sent END_STREAM."""
        self.ended = True
        length = self.request.length
        if length is not None and length != self._total:
            raise StreamFault(self.id, ErrorCode.PROTOCOL_ERROR, "content-length is not the length")
        if self._messages.partial:
            raise Refused(grpc.StatusCode.INTERNAL, "the request ends in the middle of a message")
        _wake(self._reader)

    async def read(self) -> bytes | None:
        """The next message, or ``None`` after the last one; raises :class:`Gone`."""
        while not self._messages.ready:
            if self.closed:
                raise Gone
            if self.ended:
                return None
            self._reader = self.connection.loop.create_future()
            await self._reader
            self._reader = None
        message = self._messages.take()
        self.connection.load.pending -= len(message) + PREFIX
        self._replenish()
        return message

    async def read_only(self) -> bytes:
        """The one message of a request that has one."""
        message = await self.read()
        if message is None or await self.read() is not None:
            text = f"the request has {'no' if message is None else 'more than one'} message"
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, text)
        return message

    def _replenish(self) -> None:
        """Give the peer room for what is not held any more, and not for every little.

        Messages that wait to be taken are held; the beginning of one that is under way is not, as
        its end must not wait for a window that only its end would open.
        """
        window = self.connection.limits.window
        owed = window - self._receive_window - self._messages.held
        if owed * 2 >= window and not self.ended and not self.closed:
            self._receive_window += owed
            self.connection.write(frames.window_update(self.id, owed))

    # What the handler sends

    def send_head(self, metadata: Metadata = ()) -> None:
        """Send the initial metadata."""
        block = fields.HEAD + fields.metadata_block(metadata) if metadata else fields.HEAD
        self.head_sent = True
        self._write_block(block, end=False)

    async def send(self, message: bytes) -> None:
        """Send a message; waits until the peer has room for it. Raises :class:`Gone`."""
        self._check_size(message)
        if not self.head_sent:
            self.send_head()
        await self._send_data(prefixed(message))
        self._turns += 1
        if self._turns % _YIELD_AFTER == 0:
            # A handler that never waits would keep everything else from running: cancellation, too.
            await asyncio.sleep(0)

    async def respond(self, message: bytes) -> None:
        """Send the only message of a response and end the call with OK."""
        self._check_size(message)
        if self.closed:
            raise Gone
        connection, size = self.connection, len(message) + PREFIX
        if size > min(connection.room(self), connection.peer_max_frame):
            await self.send(message)
            return self.finish()
        # All in one piece, as frames.headers and frames.frame would write it.
        stream = self.id.to_bytes(4, "big")
        head = b"" if self.head_sent else b"".join((_HEAD_START, stream, fields.HEAD))
        self.send_window -= size
        connection.send_window -= size
        connection.write(
            b"".join(
                (
                    head,
                    size.to_bytes(3, "big"),
                    b"\0\0",
                    stream,
                    b"\0",
                    len(message).to_bytes(4, "big"),
                    message,
                    _TRAILERS_START,
                    stream,
                    fields.TRAILERS_OK,
                )
            )
        )
        self._over()
        return None

    def finish(
        self,
        code: grpc.StatusCode = grpc.StatusCode.OK,
        message: str = "",
        metadata: Metadata = (),
    ) -> None:
        """End the call with a status."""
        if self.closed:
            return
        block = fields.trailers(code, message, metadata)
        if not self.head_sent:
            block = fields.HEAD + block
        self._write_block(block, end=True)
        self._over()

    def refuse_http(self, status: int) -> None:
        """Answer what is no gRPC call."""
        self._write_block(fields.http_error(status), end=True)
        self._over()

    def _write_block(self, block: bytes, *, end: bool) -> None:
        if self.closed:
            raise Gone
        connection = self.connection
        connection.write(frames.headers(self.id, block, connection.peer_max_frame, end=end))

    def _over(self) -> None:
        if not self.ended:
            # The rest of the request is of no use (RFC 9113, 8.1).
            self.connection.write(frames.rst_stream(self.id, ErrorCode.NO_ERROR))
        self.close()

    def _check_size(self, message: bytes) -> None:
        limit = self.connection.limits.max_send
        if len(message) > limit:
            raise too_large("The response", len(message), limit)

    async def _send_data(self, data: bytes) -> None:
        connection, start = self.connection, 0
        while True:
            if self.closed:
                raise Gone
            room = min(connection.room(self), connection.peer_max_frame)
            if room <= 0:
                self._writer = connection.loop.create_future()
                connection.blocked[self] = None
                try:
                    await self._writer
                finally:
                    connection.blocked.pop(self, None)
                continue
            part = data[start : start + room]
            self.send_window -= len(part)
            connection.send_window -= len(part)
            connection.write(frames.frame(frames.DATA, 0, self.id, part))
            start += len(part)
            if start == len(data):
                return

    def wake_writer(self) -> None:
        """There is room again."""
        _wake(self._writer)

    # The end

    def reset(self, code: ErrorCode) -> None:
        """End the call by RST_STREAM, and the handler with it."""
        if not self.closed:
            self.connection.write(frames.rst_stream(self.id, code))
            self.cancel()

    def cancel(self) -> None:
        """The call is over for the peer: let the handler know."""
        if self.closed:
            return
        self.close()
        self._stop()

    def refuse(self, code: grpc.StatusCode, message: str) -> None:
        """End the call with a status, and the handler with it."""
        self.finish(code, message)
        self._stop()

    def _stop(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        """Nothing goes over the stream any more."""
        self.closed = True
        self.connection.forget(self)
        self.connection.load.end(self.request.size + self._messages.size)
        if self._messages.size:
            self._messages.clear()
        if self.timer is not None:
            self.timer.cancel()
        _wake(self._reader)
        _wake(self._writer)


_HEAD_START: Final = frames.frame(frames.HEADERS, frames.END_HEADERS, 0, fields.HEAD)[
    : frames.HEADER_SIZE - 4
]
_TRAILERS_START: Final = frames.frame(
    frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 0, fields.TRAILERS_OK
)[: frames.HEADER_SIZE - 4]


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
