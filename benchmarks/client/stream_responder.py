"""The fast server of streams: bytes that were made before, as fast as flow control lets them go.

It speaks just enough HTTP/2 for the clients that are measured: every call, whatever it asks for, is
answered with the same messages until the client cancels it; or with none at all, when told so.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import suppress

MESSAGE = b"\x0a\x30" + b"x" * 48
"""``{result: "xx…"}``: 50 bytes."""
IN_A_WRITE = 1000
"""Messages that are written together: a DATA frame for each, as servers do it."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
ACK = END_HEADERS_ONLY = 0x1
INITIAL_WINDOW_SIZE = 4
# RFC 7541: ":status: 200" of the static table, and a literal field without indexing.
RESPONSE = b"\x88" + b"\x0f\x10\x10application/grpc"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame (RFC 9113, section 4.1)."""
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


class Connection:
    """One client: its windows, and the streams that it has open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.window = 65_535
        self.initial = 65_535
        self.streams: dict[int, int] = {}
        self.moved = asyncio.Event()

    async def serve(self, silent: bool) -> None:
        """Answer until the client goes."""
        await self.reader.readexactly(len(PREFACE))
        many = struct.pack(">HI", 3, 1_000_000)
        self.writer.write(frame(SETTINGS, 0, 0, many))
        tasks = set()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size, kind, flags, stream = await self._head()
                payload = await self.reader.readexactly(size)
                if kind == HEADERS:
                    self.streams[stream] = self.initial
                    self.writer.write(frame(HEADERS, 0x4, stream, RESPONSE))
                    if not silent:
                        tasks.add(asyncio.create_task(self._answer(stream)))
                self._control(kind, flags, stream, payload)
        for task in tasks:
            task.cancel()
        self.writer.close()

    async def _head(self) -> tuple[int, int, int, int]:
        head = await self.reader.readexactly(9)
        size, flags, stream = struct.unpack(">IBI", head)
        return size >> 8, size & 0xFF, flags, stream

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW_SIZE:
                    self.initial = value
            self.writer.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.writer.write(frame(PING, ACK, 0, payload))
        elif kind == RST_STREAM:
            self.streams.pop(stream, None)
            self.moved.set()
        elif kind == WINDOW_UPDATE:
            (increment,) = struct.unpack(">I", payload)
            if stream == 0:
                self.window += increment
            elif stream in self.streams:
                self.streams[stream] += increment
            self.moved.set()

    async def _answer(self, stream: int) -> None:
        message = b"\0" + struct.pack(">I", len(MESSAGE)) + MESSAGE
        packet = frame(DATA, 0, stream, message) * IN_A_WRITE
        size = len(message) * IN_A_WRITE
        while stream in self.streams:
            if min(self.window, self.streams[stream]) < size:
                self.moved.clear()
                await self.moved.wait()
            else:
                self.window -= size
                self.streams[stream] -= size
                self.writer.write(packet)
                await self.writer.drain()


async def main(silent: bool) -> None:
    """Listen on a free port of 127.0.0.1, which is printed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(reader, writer).serve(silent)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main("--silent" in sys.argv))
