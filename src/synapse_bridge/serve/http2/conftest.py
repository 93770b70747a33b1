"""A server in this process for the tests, and a client that says exactly what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest

from synapse_bridge.serve.http2 import Limits, Server, fields, frames

Frame = tuple[int, int, int, bytes]


@dataclass
class Echo:
    """A service of all four kinds; ``ended`` says how its handlers did."""

    ended: list[str] = field(default_factory=list)
    produced: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def unary(self, request: bytes, context: Any) -> bytes:
        match request:
            case b"abort":
                trailing = (("plain", "text"), ("data-bin", b"\0\xff"))
                await context.abort(grpc.StatusCode.NOT_FOUND, "nö 100%\n", trailing)
            case b"raise":
                raise RuntimeError("a secret")
            case b"code":
                context.set_code(grpc.StatusCode.DATA_LOSS)
                context.set_details("some")
            case b"head":
                await context.send_initial_metadata((("early", "yes"),))
                context.set_trailing_metadata((("late", "too"),))
            case b"metadata":
                return repr([tuple(item) for item in context.invocation_metadata()]).encode()
            case b"wait":
                return await self._wait(context)
        return request

    async def _wait(self, context: Any) -> bytes:
        context.add_done_callback(lambda _: self.ended.append("callback"))
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled" if context.cancelled() else "stopped")
            raise
        return b"released"

    async def produce(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            for self.produced in range(1, int(request) + 1):
                yield b"x" * 50
        finally:
            self.ended.append("closed")

    async def collect(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        return str(sum([len(request) async for request in requests])).encode()

    async def mirror(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    async def written(self, request: bytes, context: Any) -> None:
        while (message := await context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined] # the stubs lack it
            await context.write(message)

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        """What the server takes."""
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Produce": grpc.unary_stream_rpc_method_handler(self.produce),
            "Collect": grpc.stream_unary_rpc_method_handler(self.collect),
            "Mirror": grpc.stream_stream_rpc_method_handler(self.mirror),
            "Written": grpc.stream_stream_rpc_method_handler(self.written),
        }
        return grpc.method_handlers_generic_handler("test.Echo", methods)


@asynccontextmanager
async def serving(echo: Echo, **limits: Any) -> AsyncIterator[tuple[Server, int]]:
    """A server of ``echo`` and its port."""
    server = Server(Limits(**limits))
    server.add_generic_rpc_handlers([echo.handlers()])
    port = server.bind("127.0.0.1", 0)
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop(0)


class Peer:
    """A client that sends frames as they are given to it, and reads those of the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(b"".join(data))

    def call(self, stream: int = 1, method: str = "Unary", *more: tuple[bytes, bytes]) -> None:
        """Begin a call."""
        self.send(headers(stream, request(method, *more)))

    def ask(self, stream: int, message: bytes, method: str = "Unary") -> None:
        """Make a whole call."""
        self.call(stream, method)
        self.send(data(stream, message, end=True))

    async def frame(self) -> Frame | None:
        """The next frame, or ``None`` at the end."""
        try:
            head = await self.reader.readexactly(frames.HEADER_SIZE)
            payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    async def until(self, kind: int, stream: int | None = None, *, ack: bool = False) -> Frame:
        """The next frame of a kind; others are passed over."""
        while (got := await self.frame()) is not None:
            if got[0] == kind and stream in (None, got[2]):
                if kind in (frames.SETTINGS, frames.PING) and bool(got[1] & 1) != ack:
                    continue
                return got
        raise AssertionError(f"the connection ended before a frame of type {kind}")

    async def rest(self) -> list[Frame]:
        """All frames to the end of the connection."""
        got = []
        while (one := await self.frame()) is not None:
            got.append(one)
        return got


@asynccontextmanager
async def connected(port: int, *, greet: bool = True) -> AsyncIterator[Peer]:
    """A connection to a server on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    peer = Peer(reader, writer)
    if greet:
        peer.send(frames.PREFACE, frames.settings({}))
    try:
        yield peer
    finally:
        writer.close()


def request(method: str = "Unary", *more: tuple[bytes, bytes]) -> bytes:
    """The header block of a call."""
    usual = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", f"/test.Echo/{method}".encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
    return block(*usual, *more)


def block(*given: tuple[bytes, bytes]) -> bytes:
    """A header block of these fields."""
    return b"".join(fields.literal(name, value) for name, value in given)


def headers(stream: int, block_: bytes, *, end: bool = False) -> bytes:
    """HEADERS with a whole block."""
    return frames.headers(stream, block_, frames.SMALLEST_MAX_FRAME, end=end)


def data(stream: int, message: bytes, *, end: bool = False) -> bytes:
    """DATA with a whole message."""
    payload = b"\0" + len(message).to_bytes(4, "big") + message
    return frames.frame(frames.DATA, frames.END_STREAM if end else 0, stream, payload)


def within(
    seconds: float,
    main: Callable[[], Awaitable[None]],
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run an asynchronous test, which must not take longer."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(main(), seconds))


@pytest.fixture
def echo() -> Echo:
    """A service to be served."""
    return Echo()
