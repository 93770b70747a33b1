"""What clients can make a server hold is bounded, whatever they leave unfinished."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trustme
import uvloop

from synapse_bridge.serve.http2 import Limits, Server, fields, frames
from synapse_bridge.serve.http2.conftest import Echo, Peer, connected, data, serving, within
from synapse_bridge.serve.http2.frames import ErrorCode

Loop = Callable[[], asyncio.AbstractEventLoop]

BEGUN = b"\0" + (1000).to_bytes(4, "big") + b"x" * 800
"""Most of a message."""


def held(server: Server) -> tuple[int, int, int, int]:
    """What a server counts: connections, handshakes, calls, and bytes of requests."""
    load = server._load
    return len(load.connections), load.opening, load.streams, load.pending


async def nothing_is_held(server: Server) -> None:
    """Waits until the server has heard that everyone has gone."""
    while held(server) != (0, 0, 0, 0):
        await asyncio.sleep(0.001)


async def status(peer: Peer, stream: int) -> bytes:
    """The trailers of a call, as they are on the wire."""
    *_, block = await peer.until(frames.HEADERS, stream)
    return block


def part(stream: int, payload: bytes = BEGUN) -> bytes:
    """DATA of a message that goes on."""
    return frames.frame(frames.DATA, 0, stream, payload)


EXHAUSTED = fields.literal(b"grpc-status", b"8")
DEADLINE = fields.literal(b"grpc-status", b"4")


def test_unfinished_requests_are_bounded_over_all_connections(echo: Echo) -> None:
    async def main() -> None:
        async with (
            serving(echo, max_pending=4_000) as (server, port),
            connected(port) as one,
            connected(port) as other,
        ):
            for stream in (1, 3):
                one.call(stream)
                one.send(part(stream))
                other.call(stream)
                other.send(part(stream))
            # Whoever is the last of the four is one too many.
            refused = [asyncio.create_task(status(peer, 3)) for peer in (one, other)]
            done, waiting = await asyncio.wait(refused, return_when=asyncio.FIRST_COMPLETED)
            assert EXHAUSTED in done.pop().result()
            for task in waiting:
                task.cancel()
        await nothing_is_held(server)

    within(30, main)


def test_what_is_too_much_is_told_and_the_rest_goes_on(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_pending=4_000) as (server, port), connected(port) as peer:
            peer.call(1)
            peer.send(part(1))
            peer.call(3)
            peer.send(part(3, b"\0" + (9_000).to_bytes(4, "big") + b"x" * 8_000))
            block = await status(peer, 3)
            assert EXHAUSTED in block
            assert b"at most 4000 bytes of requests (max_pending)" in block
            peer.send(frames.frame(frames.DATA, frames.END_STREAM, 1, b"x" * 200))
            *_, payload = await peer.until(frames.DATA, 1)
            assert payload[5:] == b"x" * 1000
            _, _, streams, _ = held(server)
            assert streams == 0
        await nothing_is_held(server)

    within(30, main)


def test_messages_that_a_function_takes_are_not_counted_any_more(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_pending=4_000) as (server, port), connected(port) as peer:
            peer.call(1, "Mirror")
            for number in range(20):
                peer.send(data(1, bytes([number]) * 1_000))
                *_, payload = await peer.until(frames.DATA, 1)
                assert payload[5:] == bytes([number]) * 1_000
        await nothing_is_held(server)

    within(30, main)


def test_headers_count_too(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_pending=10_000) as (server, port), connected(port) as peer:
            for stream in range(1, 21, 2):
                peer.call(stream, "Unary", (b"key", b"x" * 2_000))
            assert EXHAUSTED in await status(peer, 9)
        await nothing_is_held(server)

    within(30, main)


def test_a_frame_without_an_end_counts_and_costs_the_connection(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_pending=15_000) as (server, port), connected(port) as peer:
            peer.call(1)
            peer.send(frames.frame(frames.DATA, 0, 1, b"x" * 40_000)[:35_000])
            got = await peer.until(frames.GOAWAY)
            assert got[3][4:8] == ErrorCode.ENHANCE_YOUR_CALM.to_bytes(4, "big")
            assert got[3][8:] == b"max_pending"
        await nothing_is_held(server)

    within(30, main)


def test_calls_on_the_wire_are_bounded_over_all_connections(echo: Echo) -> None:
    async def main() -> None:
        async with (
            serving(echo, max_calls=3) as (server, port),
            connected(port) as one,
            connected(port) as other,
        ):
            one.call(1)
            one.call(3)
            one.ask(5, b"hello")
            await one.until(frames.DATA, 5)  # three at once are allowed
            other.call(1)
            other.call(3)
            block = await status(other, 3)
            assert EXHAUSTED in block
            assert b"(max_calls)" in block
        await nothing_is_held(server)

    within(30, main)


@pytest.mark.parametrize("sent", [b"", BEGUN], ids=["nothing", "a part"])
def test_a_request_has_to_arrive_in_time(echo: Echo, sent: bytes) -> None:
    async def main() -> None:
        async with serving(echo, arrival=0.05) as (server, port), connected(port) as peer:
            peer.call(1, "Mirror")  # its messages may come when they like
            peer.call(3)
            if sent:
                peer.send(part(3, sent))
            block = await status(peer, 3)
            assert DEADLINE in block
            assert b"(max_arrival)" in block
            peer.send(data(1, b"late"))
            *_, payload = await peer.until(frames.DATA, 1)
            assert payload[5:] == b"late"
        await nothing_is_held(server)

    within(30, main)


@asynccontextmanager
async def serving_tls(echo: Echo, **limits: Any) -> AsyncIterator[tuple[Server, int, trustme.CA]]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    server = Server(Limits(**limits))
    server.add_generic_rpc_handlers([echo.handlers()])
    port = server.bind("127.0.0.1", 0, tls=tls)
    await server.start()
    try:
        yield server, port, authority
    finally:
        await server.stop(0)


async def greet(port: int, authority: trustme.CA) -> bytes:
    """Calls over TLS; returns the response, or nothing if the connection is closed."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.set_alpn_protocols(["h2"])
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting, server_hostname="localhost"
        )
        peer = Peer(reader, writer)
        peer.send(frames.PREFACE, frames.settings({}))
        peer.ask(1, b"hello")
        with suppress(AssertionError):
            *_, payload = await peer.until(frames.DATA, 1)
            writer.close()
            return payload[5:]
    return b""


LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
"""A handshake hands its transport on, which the loops do each in their own way."""


@LOOPS
def test_tls_handshakes_are_connections(echo: Echo, loop: Loop) -> None:
    async def main() -> None:
        async with serving_tls(echo, max_connections=2, handshake=5) as (server, port, authority):
            assert await greet(port, authority) == b"hello"
            await nothing_is_held(server)
            slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            slow[0][1].write(b"\x16\x03\x01\x02\x00\x01")  # the begin of a ClientHello
            while held(server)[1] < 2:
                await asyncio.sleep(0.001)
            assert await greet(port, authority) == b""
            slow[1][1].write(b"GET / HTTP/1.1\r\n\r\n")  # no TLS at all: that handshake fails
            while held(server)[1] > 1:
                await asyncio.sleep(0.001)
            assert await greet(port, authority) == b"hello"
            for _, writer in slow:
                writer.close()
            await nothing_is_held(server)

    within(20, main, loop)


@LOOPS
def test_a_handshake_that_does_not_end_makes_room_when_its_time_is_over(
    echo: Echo, loop: Loop
) -> None:
    async def main() -> None:
        async with serving_tls(echo, max_connections=1, handshake=0.1) as (server, port, authority):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            while held(server)[1] != 1:
                await asyncio.sleep(0.001)
            while held(server)[1]:
                await asyncio.sleep(0.001)
            assert await greet(port, authority) == b"hello"
            writer.close()

    within(20, main, loop)
