"""Clients that mean harm: they speak HTTP/2 to a server, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_WINDOW: Final = {SettingsFrame.INITIAL_WINDOW_SIZE: 0}


class Attacker:
    """A connection to a server, and its HPACK state."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.encoder = Encoder()

    def greet(self, settings: dict[int, int] | None = None) -> bytes:
        """The beginning of every connection."""
        return PREFACE + SettingsFrame(0, settings=settings or {}).serialize()

    def headers(self, stream: int, path: str, *more: tuple[str, str], end: bool = True) -> bytes:
        """HEADERS of a call."""
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
        block = self.encoder.encode([*fields, *more])
        return _frame(HeadersFrame(stream, data=block), *(["END_HEADERS"] if end else []))

    def call(self, stream: int, path: str, message: bytes) -> bytes:
        """A whole call."""
        body = b"\0" + len(message).to_bytes(4, "big") + message
        return self.headers(stream, path) + _frame(DataFrame(stream, data=body), "END_STREAM")

    async def flood(self, parts: Iterator[bytes]) -> None:
        """Send all parts, or as much as the server takes; reads nothing."""
        with suppress(ConnectionError):
            for part in parts:
                self.writer.write(part)
                await self.writer.drain()

    async def ended(self) -> bytes:
        """What the server sent until it closed the connection."""
        got = bytearray()
        with suppress(ConnectionError):
            while data := await self.reader.read(65_536):
                got = (got + data)[-100_000:]
        return bytes(got)


@asynccontextmanager
async def attacker(port: int) -> AsyncIterator[Attacker]:
    """A connection, which ends with the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Attacker(reader, writer)
    finally:
        writer.transport.abort()


def _frame(frame: Frame, *flags: str) -> bytes:
    for flag in flags:
        frame.flags.add(flag)
    return frame.serialize()


def _pings(_: Attacker, path: str) -> Iterator[bytes]:
    for _number in range(400):
        yield PingFrame(0, opaque_data=b"12345678").serialize() * 1000


def _settings(_: Attacker, path: str) -> Iterator[bytes]:
    settings = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000}).serialize()
    for _number in range(400):
        yield settings * 1000


def _priorities(_: Attacker, path: str) -> Iterator[bytes]:
    for _number in range(400):
        yield PriorityFrame(1, depends_on=3).serialize() * 1000


def _resets(attacker: Attacker, path: str) -> Iterator[bytes]:
    for stream in range(1, 200_000, 2):
        yield attacker.headers(stream, path) + RstStreamFrame(stream, error_code=8).serialize()


def _provoked_resets(attacker: Attacker, path: str) -> Iterator[bytes]:
    nothing = b"\0\0\0\0"
    for stream in range(1, 200_000, 2):
        update = WindowUpdateFrame(stream, window_increment=1).serialize()[:-4] + nothing
        yield attacker.headers(stream, path) + update


def _continuations(attacker: Attacker, path: str) -> Iterator[bytes]:
    yield attacker.headers(1, path, end=False)
    for _number in range(2000):
        yield ContinuationFrame(1, data=b"\0\1a" + bytes([100]) + b"b" * 100).serialize() * 20


def _empty_continuations(attacker: Attacker, path: str) -> Iterator[bytes]:
    yield attacker.headers(1, path, end=False)
    for _number in range(400):
        yield ContinuationFrame(1, data=b"").serialize() * 1000


def _empty_data(attacker: Attacker, path: str) -> Iterator[bytes]:
    yield attacker.headers(1, path)
    for _number in range(400):
        yield DataFrame(1, data=b"").serialize() * 1000


def _header_bomb(attacker: Attacker, path: str) -> Iterator[bytes]:
    # A field of 4,000 bytes goes into the table once, and is then named by one byte each time.
    for stream in range(1, 400, 2):
        yield attacker.headers(stream, path, *[("x", "y" * 3900)] * 3000)


FLOODS: Final[dict[str, Callable[[Attacker, str], Iterator[bytes]]]] = {
    "PING": _pings,
    "SETTINGS": _settings,
    "PRIORITY": _priorities,
    "RST_STREAM of calls just begun": _resets,
    "calls that the server has to reset": _provoked_resets,
    "CONTINUATION without end": _continuations,
    "empty CONTINUATION": _empty_continuations,
    "empty DATA": _empty_data,
    "a header bomb": _header_bomb,
}
"""What a client may send without end; each is to cost it the connection."""
