"""Servers that mean harm: HTTP/2 written frame by frame, for the Elixir client to meet.

A rogue listens on a port of its own. The first connection meets its scenario, later ones are
served well, so that it can be seen whether a client comes back. ``GoOn`` is answered with its empty
message, all other methods with no message, and both with the status OK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from faults.attacker import PREFACE

REFUSED: Final = 7
_EMPTY: Final = b"\0\0\0\0\0"
_PREFIX: Final = 9

_F = TypeVar("_F", bound=Frame)


class Peer:
    """A connection of a client, from the server's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._reader = reader
        self._decoder = Decoder()
        self._encoder = Encoder()
        self._paths: dict[int, str] = {}

    def send(self, *frames: Frame) -> None:
        """Send frames."""
        self.writer.write(b"".join(frame.serialize() for frame in frames))

    async def flood(self, frame: Frame, times: int) -> None:
        """Send a frame again and again, as fast as the client takes it."""
        piece = frame.serialize() * 500
        for _ in range(times // 500):
            self.writer.write(piece)
            await self.writer.drain()

    async def greet(self, settings: dict[int, int] | None = None) -> None:
        """Exchange the beginning."""
        await self._reader.readexactly(len(PREFACE))
        self.send(SettingsFrame(0, settings=settings or {}))

    async def frame(self) -> Frame:
        """The next frame of the client."""
        frame, length = Frame.parse_frame_header(
            memoryview(await self._reader.readexactly(_PREFIX))
        )
        frame.parse_body(memoryview(await self._reader.readexactly(length)))
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.send(_flagged(SettingsFrame(0), "ACK"))
        return frame

    async def call(self) -> tuple[int, str]:
        """The next call, once its request is complete: its stream and its path."""
        while True:
            frame = await self.frame()
            if isinstance(frame, HeadersFrame):
                fields = dict(self._decoder.decode(frame.data, raw=True))
                self._paths[frame.stream_id] = fields[b":path"].decode()
            if isinstance(frame, HeadersFrame | DataFrame) and "END_STREAM" in frame.flags:
                return frame.stream_id, self._paths.pop(frame.stream_id)

    def head(self, stream: int, *more: tuple[str, str]) -> HeadersFrame:
        """The beginning of a response."""
        fields = [(":status", "200"), ("content-type", "application/grpc"), *more]
        frame = HeadersFrame(stream, data=self._encoder.encode(fields))
        return _flagged(frame, "END_HEADERS")

    def body(self, stream: int, path: str) -> list[DataFrame]:
        """The messages of a response."""
        return [DataFrame(stream, data=_EMPTY)] if path.endswith("/GoOn") else []

    def trailers(self, stream: int) -> HeadersFrame:
        """The end of a response."""
        frame = HeadersFrame(stream, data=self._encoder.encode([("grpc-status", "0")]))
        return _flagged(frame, "END_HEADERS", "END_STREAM")

    def answer(self, stream: int, path: str) -> None:
        """The right response."""
        self.send(self.head(stream), *self.body(stream, path), self.trailers(stream))

    async def serve(self) -> None:
        """Answer all calls."""
        while True:
            self.answer(*await self.call())


def _flagged(frame: _F, *flags: str) -> _F:
    for flag in flags:
        frame.flags.add(flag)
    return frame


Scenario = Callable[[Peer], Awaitable[None]]


def _flooding(make: Callable[[int], Frame], times: int) -> Scenario:
    """A flood between the head and the end of a response that is right."""

    async def scenario(peer: Peer) -> None:
        await peer.greet()
        stream, path = await peer.call()
        peer.send(peer.head(stream))
        await peer.flood(make(stream), times)
        peer.send(*peer.body(stream, path), peer.trailers(stream))
        await peer.serve()

    return scenario


async def _resets(peer: Peer) -> None:
    await peer.greet()
    stream, _ = await peer.call()
    await peer.flood(RstStreamFrame(stream, error_code=2), 100_000)
    await peer.serve()


async def _endless_block(peer: Peer) -> None:
    await peer.greet()
    stream, _ = await peer.call()
    peer.send(HeadersFrame(stream, data=b"\x88"))
    await peer.flood(ContinuationFrame(stream, data=b"\0\1ad" + b"b" * 100), 100_000)
    await peer.serve()


async def _header_bomb(peer: Peer) -> None:
    await peer.greet()
    stream, _ = await peer.call()
    # Goes into the table once, and is then named by one byte each time.
    peer.send(peer.head(stream, *[("x", "y" * 3900)] * 10_000))
    await peer.serve()


async def _interim_responses(peer: Peer) -> None:
    await peer.greet()
    stream, path = await peer.call()
    await peer.flood(_flagged(HeadersFrame(stream, data=b"\x08\x03103"), "END_HEADERS"), 50_000)
    peer.answer(stream, path)
    await peer.serve()


async def _huge_frame(peer: Peer) -> None:
    await peer.greet()
    await peer.call()
    peer.writer.write(b"\xff\xff\xff\0\0\0\0\0\1")
    await peer.serve()


async def _beyond_the_limit(peer: Peer) -> None:
    await peer.greet()
    stream, _ = await peer.call()
    peer.send(peer.head(stream))
    message = b"\0" + (80_000_000).to_bytes(4, "big")
    peer.send(DataFrame(stream, data=message))
    with suppress(ConnectionError):
        await peer.flood(DataFrame(stream, data=b"x" * 16_000), 5_000)
    await peer.serve()


async def _no_window(peer: Peer) -> None:
    await peer.greet({SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    while not isinstance(await peer.frame(), RstStreamFrame):
        pass  # until the call gives up
    peer.send(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65_535}))
    await peer.serve()


async def _padded(peer: Peer) -> None:
    await peer.greet()
    stream, path = await peer.call()
    unknown = b"\0\0\4\xbe\xff" + stream.to_bytes(4, "big") + b"what"
    priority = PriorityFrame(stream, depends_on=0)
    response: list[HeadersFrame | DataFrame] = [peer.head(stream), *peer.body(stream, path)]
    for frame in (*response, peer.trailers(stream)):
        padded = _flagged(frame, "PADDED")
        padded.pad_length = 200
        peer.writer.write(unknown)
        peer.send(priority, padded)
    await peer.serve()


async def _refused(peer: Peer) -> None:
    await peer.greet()
    stream, _ = await peer.call()
    peer.send(RstStreamFrame(stream, error_code=REFUSED))
    await peer.serve()


def _goaway(moment: str) -> Scenario:
    """GOAWAY at a moment of the connection or of its first call, and the end of the connection."""

    async def scenario(peer: Peer) -> None:
        if moment == "instead of SETTINGS":
            peer.send(GoAwayFrame(0, last_stream_id=0))
            return
        await peer.greet()
        if moment == "before a call":
            peer.send(GoAwayFrame(0, last_stream_id=0))
            return
        stream, path = await peer.call()
        if moment == "without the call":
            peer.send(GoAwayFrame(0, last_stream_id=0))
            return
        goaway = GoAwayFrame(0, last_stream_id=stream)
        head, body, end = peer.head(stream), peer.body(stream, path), peer.trailers(stream)
        match moment:
            case "before the head":
                peer.send(goaway, head, *body, end)
            case "after the head":
                peer.send(head, goaway, *body, end)
            case "before the trailers":
                peer.send(head, *body, goaway, end)
            case "after the trailers":
                peer.send(head, *body, end, goaway)
            case "and no trailers":
                peer.send(head, *body, goaway)

    return scenario


class Crowd:
    """Takes a hundred calls at once, and answers all it has only when it can have no more."""

    def __init__(self) -> None:
        self.most = 0
        self.answered = 0

    async def __call__(self, peer: Peer) -> None:
        await peer.greet({SettingsFrame.MAX_CONCURRENT_STREAMS: 100})
        calls: list[tuple[int, str]] = []
        while True:
            calls.append(await peer.call())
            self.most = max(self.most, len(calls))
            if len(calls) == 100:
                for call in calls:
                    peer.answer(*call)
                self.answered += len(calls)
                calls.clear()

    async def told(self) -> str:
        """The most calls at once, and how many were answered: in this loop, so that calls whose
        answers have left are counted."""
        return f"{self.most} {self.answered}"


GOAWAYS: Final = (
    "instead of SETTINGS",
    "before a call",
    "without the call",
    "before the head",
    "after the head",
    "before the trailers",
    "after the trailers",
    "and no trailers",
)

SCENARIOS: Final[dict[str, Scenario]] = {
    "PING": _flooding(lambda _: PingFrame(0, opaque_data=b"12345678"), 50_000),
    "SETTINGS": _flooding(lambda _: SettingsFrame(0, settings={1: 4096}), 50_000),
    "WINDOW_UPDATE": _flooding(lambda _: WindowUpdateFrame(0, window_increment=1), 200_000),
    "PRIORITY": _flooding(lambda stream: PriorityFrame(stream, depends_on=0), 200_000),
    "empty DATA": _flooding(lambda stream: DataFrame(stream, data=b""), 200_000),
    "interim responses": _interim_responses,
    "RST_STREAM": _resets,
    "CONTINUATION": _endless_block,
    "a header bomb": _header_bomb,
    "a huge frame": _huge_frame,
    "a response beyond the limit": _beyond_the_limit,
    "no window": _no_window,
    "padding, PRIORITY and unknown frames": _padded,
    "REFUSED_STREAM": _refused,
    **{f"GOAWAY {moment}": _goaway(moment) for moment in GOAWAYS},
}
"""What clients meet, by the name that tests ask for it."""


class Rogue:
    """A server whose first connection meets the scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario: Scenario | None = scenario

    async def listen(self) -> int:
        """Begin; returns the port."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        scenario, self._scenario = self._scenario, None
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if scenario is not None:
                await scenario(peer)
            else:
                await peer.greet()
                await peer.serve()
        writer.close()
