"""What a connection does with peers that break the rules of RFC 9113, or come to its limits."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from synapse_bridge.serve.http2 import frames
from synapse_bridge.serve.http2.conftest import (
    Echo,
    block,
    connected,
    data,
    headers,
    request,
    serving,
    within,
)
from synapse_bridge.serve.http2.frames import ErrorCode, frame

OPEN = headers(1, request())
"""A call that is waited for."""

CONNECTION_FAULTS = {
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", ErrorCode.PROTOCOL_ERROR),
    "DATA of the connection": (frame(frames.DATA, 0, 0, b""), ErrorCode.PROTOCOL_ERROR),
    "DATA of an idle stream": (frame(frames.DATA, 0, 1, b""), ErrorCode.PROTOCOL_ERROR),
    "HEADERS of an even stream": (headers(2, request()), ErrorCode.PROTOCOL_ERROR),
    "HEADERS of the connection": (headers(0, request()), ErrorCode.PROTOCOL_ERROR),
    "HEADERS without room for their priority": (
        frame(frames.HEADERS, frames.END_HEADERS | frames.PRIORITIZED, 1, b"abc"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "all padding": (
        OPEN + frame(frames.DATA, frames.PADDED, 1, b"\x05abcd"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a frame above the largest": (
        b"\xff\xff\xff" + frame(frames.DATA, 0, 1)[3:],
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "an interrupted header block": (
        frame(frames.HEADERS, 0, 1, request()) + frames.ping(b"12345678", ack=False),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "CONTINUATION of nothing": (frame(frames.CONTINUATION, 4, 1), ErrorCode.PROTOCOL_ERROR),
    "CONTINUATION of another stream": (
        frame(frames.HEADERS, 0, 1, request()) + frame(frames.CONTINUATION, 4, 3),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a header block without an end": (
        frame(frames.HEADERS, 0, 1, request())
        + 5 * frame(frames.CONTINUATION, 0, 1, b"\0" * 16_000),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a header block that HPACK cannot read": (
        headers(1, b"\xff\xff\xff\xff"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "an index that the table does not have": (headers(1, b"\xfe"), ErrorCode.COMPRESSION_ERROR),
    "a header list far above the limit": (
        headers(1, request("Unary", *[(b"x", b"y" * 40)] * 950)),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "RST_STREAM of an idle stream": (
        frames.rst_stream(1, ErrorCode.CANCEL),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "RST_STREAM of a wrong size": (
        OPEN + frame(frames.RST_STREAM, 0, 1, b"abc"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "PRIORITY of the connection": (
        frame(frames.PRIORITY, 0, 0, b"abcde"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "SETTINGS of a stream": (frame(frames.SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR),
    "SETTINGS of a wrong size": (
        frame(frames.SETTINGS, 0, 0, b"abc"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "SETTINGS that acknowledge something": (
        frame(frames.SETTINGS, frames.ACK, 0, b"abcdef"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "a window above the largest": (
        frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31}),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "frames below the smallest": (
        frames.settings({frames.MAX_FRAME_SIZE: 100}),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a strange ENABLE_PUSH": (
        frames.settings({frames.ENABLE_PUSH: 2}),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "PUSH_PROMISE": (frame(frames.PUSH_PROMISE, 4, 1, b"abcd"), ErrorCode.PROTOCOL_ERROR),
    "PING of a stream": (frame(frames.PING, 0, 1, b"12345678"), ErrorCode.PROTOCOL_ERROR),
    "PING of a wrong size": (frame(frames.PING, 0, 0, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
    "GOAWAY of a stream": (frame(frames.GOAWAY, 0, 1, b"12345678"), ErrorCode.PROTOCOL_ERROR),
    "WINDOW_UPDATE by nothing": (
        frames.window_update(0, 0),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "WINDOW_UPDATE of an idle stream": (frames.window_update(1, 1), ErrorCode.PROTOCOL_ERROR),
    "WINDOW_UPDATE of a wrong size": (
        frame(frames.WINDOW_UPDATE, 0, 0, b"abc"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "too large a window of the connection": (
        frames.window_update(0, frames.MAX_WINDOW),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "too large a window by SETTINGS": (
        OPEN
        + frames.window_update(1, 2**31 - 70_000)
        + frames.settings({frames.INITIAL_WINDOW_SIZE: 100_000}),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
}


@pytest.mark.parametrize("fault", CONNECTION_FAULTS)
def test_a_broken_rule_of_the_connection_ends_it_with_its_code(fault: str, echo: Echo) -> None:
    sent, code = CONNECTION_FAULTS[fault]

    async def main() -> None:
        async with serving(echo) as (_, port), connected(port, greet=sent[:3] != b"GET") as peer:
            peer.send(sent)
            *_, last = await peer.rest()
            assert last[0] == frames.GOAWAY
            assert ErrorCode(struct.unpack(">L", last[3][4:8])[0]) is code

    within(30, main)


STREAM_FAULTS = {
    "more data than the window": (
        OPEN + 5 * data(1, b"x" * 15_000),  # which nobody takes before the end
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "WINDOW_UPDATE by nothing": (OPEN + frames.window_update(1, 0), ErrorCode.PROTOCOL_ERROR),
    "too large a window": (
        OPEN + frames.window_update(1, frames.MAX_WINDOW),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "DATA after the end": (
        headers(1, request("Mirror")) + data(1, b"wait", end=True) + data(1, b"more"),
        ErrorCode.STREAM_CLOSED,
    ),
    "trailers that do not end": (OPEN + headers(1, block((b"a", b"b"))), ErrorCode.PROTOCOL_ERROR),
    "another length than promised": (
        headers(1, request("Unary", (b"content-length", b"3"))) + data(1, b"hello", end=True),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "PRIORITY of a wrong size": (
        OPEN + frame(frames.PRIORITY, 0, 1, b"abc"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "no path": (
        headers(1, block((b":method", b"POST"), (b":scheme", b"http"))),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a capital letter": (headers(1, request("Unary", (b"Key", b"v"))), ErrorCode.PROTOCOL_ERROR),
    "a field of connections": (
        headers(1, request("Unary", (b"connection", b"close"))),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a late pseudo-header field": (
        headers(1, request("Unary", (b":path", b"/"))),
        ErrorCode.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_broken_rule_of_a_stream_ends_that_stream_only(fault: str, echo: Echo) -> None:
    sent, code = STREAM_FAULTS[fault]

    async def main() -> None:
        async with serving(echo, window=64 * 1024) as (_, port), connected(port) as peer:
            peer.send(sent)
            *_, payload = await peer.until(frames.RST_STREAM, 1)
            assert ErrorCode(int.from_bytes(payload, "big")) is code
            peer.ask(3, b"hello")
            *_, payload = await peer.until(frames.DATA, 3)
            assert payload == b"\0\0\0\0\x05hello"

    within(30, main)


def test_what_is_unknown_or_late_is_ignored(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (_, port), connected(port) as peer:
            peer.send(frame(0x42, 0xFF, 7, b"whatever"), frames.settings({0x99: 1}))
            peer.ask(1, b"hello")
            await peer.until(frames.DATA, 1)
            # The stream is over, and these were on their way.
            peer.send(frames.window_update(1, 5), data(1, b"late"), headers(1, b"", end=True))
            peer.send(frames.rst_stream(1, ErrorCode.CANCEL))
            peer.ask(3, b"again")
            *_, payload = await peer.until(frames.DATA, 3)
            assert payload.endswith(b"again")

    within(30, main)


def test_padding_priority_and_continuation_change_nothing(echo: Echo) -> None:
    message = b"\0\0\0\0\x05hello"
    block_ = request()
    padded = b"\x03" + b"\x80\0\0\0\x10" + block_[:20] + b"\0\0\0"
    flags = frames.PADDED | frames.PRIORITIZED

    async def main() -> None:
        async with serving(echo) as (_, port), connected(port) as peer:
            peer.send(frame(frames.HEADERS, flags, 1, padded))
            for byte in block_[20:-1]:
                peer.send(frame(frames.CONTINUATION, 0, 1, bytes((byte,))))
            peer.send(frame(frames.CONTINUATION, frames.END_HEADERS, 1, block_[-1:]))
            end = frames.PADDED | frames.END_STREAM
            peer.send(frame(frames.DATA, end, 1, b"\x02" + message + b"\0\0"))
            *_, payload = await peer.until(frames.DATA, 1)
            assert payload == message

    within(30, main)


def test_every_byte_may_come_alone(echo: Echo) -> None:
    async def main() -> None:
        sent = b"".join(
            (
                frames.PREFACE,
                frames.settings({frames.INITIAL_WINDOW_SIZE: 10}),
                frames.ping(b"12345678", ack=False),
                headers(1, request("Mirror", (b"grpc-timeout", b"9S"))),
                data(1, b"hello"),
                frames.window_update(1, 100),
                data(1, b"", end=True),
                headers(3, request()),
                data(3, b"x" * 300, end=True),
                frames.window_update(3, 1000),
            )
        )
        async with serving(echo) as (_, port), connected(port, greet=False) as peer:
            for byte in sent:
                peer.send(bytes((byte,)))
                await asyncio.sleep(0)
            bodies = {1: b"", 3: b""}
            ended: set[int] = set()
            while ended != {1, 3}:
                got = await peer.frame()
                assert got is not None
                kind, flags, stream, payload = got
                if kind == frames.DATA:
                    bodies[stream] += payload
                if kind == frames.HEADERS and flags & frames.END_STREAM:
                    ended.add(stream)
            assert bodies[1] == b"\0\0\0\0\x05hello" + b"\0\0\0\0\0"
            assert bodies[3] == b"\0\0\0\x01\x2c" + b"x" * 300

    within(30, main)


def test_calls_beyond_the_limit_are_refused_so_that_they_can_be_tried_again(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_streams=2) as (_, port), connected(port) as peer:
            for stream in (1, 3, 5):
                peer.ask(stream, b"wait")
            *_, payload = await peer.until(frames.RST_STREAM, 5)
            assert ErrorCode(int.from_bytes(payload, "big")) is ErrorCode.REFUSED_STREAM
            echo.release.set()
            await peer.until(frames.DATA, 1)
            await peer.until(frames.DATA, 3)

    within(30, main)


def test_connections_beyond_the_limit_are_closed_until_one_ends(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_connections=1) as (_, port):
            async with connected(port) as first:
                first.ask(1, b"hello")
                await first.until(frames.DATA, 1)
                async with connected(port, greet=False) as second:
                    *_, (kind, _, _, payload) = await second.rest()
                    assert kind == frames.GOAWAY
                    assert payload[4:8] == ErrorCode.ENHANCE_YOUR_CALM.to_bytes(4, "big")
                    assert payload[8:] == b"max_connections"
                first.ask(3, b"hello")
                await first.until(frames.DATA, 3)
            # The server hears of the end when it does.
            while True:
                async with connected(port) as third:
                    third.ask(1, b"hello")
                    frame_ = await third.frame()
                    while frame_ is not None and frame_[0] not in (frames.DATA, frames.GOAWAY):
                        frame_ = await third.frame()
                    if frame_ is not None and frame_[0] == frames.DATA:
                        break

    within(30, main)


def test_floods_end_the_connection(echo: Echo) -> None:
    ping = frames.ping(b"12345678", ack=False)
    empty = OPEN + 200 * frame(frames.DATA, 0, 1)
    resets = b"".join(
        headers(n, request()) + frames.rst_stream(n, ErrorCode.CANCEL) for n in range(1, 401, 2)
    )

    # Calls that the server has to reset are no cheaper than those that the peer does.
    faults = b"".join(headers(n, request()) + frames.window_update(n, 0) for n in range(1, 401, 2))

    async def main() -> None:
        async with serving(echo, max_control=100) as (_, port):
            for flood in (200 * ping, 200 * frames.settings({}), empty, resets, faults):
                async with connected(port) as peer:
                    peer.send(flood)
                    *_, last = await peer.rest()
                    assert last[0] == frames.GOAWAY
                    assert last[3][4:8] == ErrorCode.ENHANCE_YOUR_CALM.to_bytes(4, "big")

    within(20, main)


def test_a_peer_that_says_nothing_is_cut_off(echo: Echo) -> None:
    async def main() -> None:
        limits = {"handshake": 0.05}
        async with serving(echo, **limits) as (_, port), connected(port, greet=False) as peer:
            peer.send(frames.PREFACE[:10])
            await peer.rest()  # which ends

    within(30, main)


def test_a_silent_connection_is_asked_and_then_cut_off(echo: Echo) -> None:
    async def main() -> None:
        limits = {"handshake": 0.2, "idle_ping": 0.05}
        async with serving(echo, **limits) as (_, port), connected(port) as peer:
            *_, payload = await peer.until(frames.PING)
            peer.send(frames.ping(payload, ack=True))
            await peer.until(frames.PING)  # It lives, and is asked again.
            await peer.rest()  # which ends, as nobody answers

    within(30, main)


def test_a_peer_that_reads_nothing_cannot_hold_a_connection_that_ends(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, handshake=0.2) as (server, port):
            # A small buffer here, and none that grows there: the answer cannot leave the server.
            with socket.socket() as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                bound.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(bound, ("127.0.0.1", port))
                largest = frames.settings({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW})
                room = frames.window_update(0, frames.MAX_WINDOW - frames.INITIAL_WINDOW)
                greeting = frames.PREFACE + largest + room
                call = headers(1, request("Produce")) + data(1, b"1000000", end=True)
                await loop.sock_sendall(bound, greeting + call)
                while (
                    not (held := set(server._load.connections))
                    or not next(iter(held))._outbox.paused
                ):
                    await asyncio.sleep(0)
                await loop.sock_sendall(bound, frames.ping(b"short", ack=False))
                while server._load.connections:
                    await asyncio.sleep(0)

    within(20, main)


def test_a_slow_reader_stops_the_handler(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (_, port), connected(port) as peer:
            peer.ask(1, b"100000", "Produce")
            await peer.until(frames.DATA, 1)
            # Only the initial window may be used: 55 bytes each.
            peer.send(frames.ping(b"12345678", ack=False))
            await peer.until(frames.PING, ack=True)
            while echo.produced < frames.INITIAL_WINDOW // 55:
                await asyncio.sleep(0)
            assert echo.produced <= frames.INITIAL_WINDOW // 55 + 1
            peer.send(frames.rst_stream(1, ErrorCode.CANCEL))
            while not echo.ended:
                await asyncio.sleep(0)
            assert echo.ended == ["closed"]
            assert echo.produced <= frames.INITIAL_WINDOW // 55 + 1

    within(30, main)


def test_a_slow_handler_stops_the_peer(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, window=100_000) as (_, port), connected(port) as peer:
            peer.call(1, "Mirror")
            # Nothing is taken while its answers have no room: the window of 65,535 bytes.
            for _ in range(10):
                peer.send(data(1, b"x" * 9_995))
            peer.send(frames.ping(b"12345678", ack=False))
            given = 0
            while (got := await peer.frame()) is not None:
                kind, _, stream, payload = got
                if kind == frames.WINDOW_UPDATE and stream == 1:
                    given += int.from_bytes(payload, "big")
                if kind == frames.PING:
                    break
            assert given <= 70_000

    within(30, main)


def test_draining_waits_for_calls_that_are_on_their_way(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port), connected(port) as peer:
            peer.ask(1, b"before")
            await peer.until(frames.DATA, 1)
            stopping = asyncio.create_task(server.stop(5))
            *_, payload = await peer.until(frames.PING)
            # No call runs. The peer sends one, and only then hears that it is to send no more.
            peer.ask(3, b"just in time")
            peer.send(frames.ping(payload, ack=True))
            *_, payload = await peer.until(frames.DATA, 3)
            assert payload.endswith(b"just in time")
            await peer.rest()
            await stopping

    within(30, main)


def test_draining_does_not_wait_for_a_peer_that_says_nothing(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port), connected(port) as peer:
            peer.ask(1, b"before")
            await peer.until(frames.DATA, 1)
            await asyncio.wait_for(server.stop(60), 5)

    within(30, main)


def test_draining_lets_calls_end_and_takes_no_more(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port), connected(port) as peer:
            peer.ask(1, b"wait")
            while not echo_waits(server):
                await asyncio.sleep(0)
            stopping = asyncio.create_task(server.stop(5))
            *_, payload = await peer.until(frames.GOAWAY)
            assert payload[:4] == frames.MAX_WINDOW.to_bytes(4, "big")
            peer.ask(3, b"just in time")
            *_, payload = await peer.until(frames.PING)
            await peer.until(frames.DATA, 3)
            peer.send(frames.ping(payload, ack=True))
            *_, payload = await peer.until(frames.GOAWAY)
            assert payload[:4] == b"\0\0\0\x03"
            peer.ask(5, b"too late")
            *_, payload = await peer.until(frames.RST_STREAM, 5)
            assert payload == ErrorCode.REFUSED_STREAM.to_bytes(4, "big")
            echo.release.set()
            *_, payload = await peer.until(frames.DATA, 1)
            assert payload.endswith(b"released")
            await peer.rest()
            await stopping

    def echo_waits(server: object) -> bool:
        return bool(server._dispatch.tasks)  # type: ignore[attr-defined]

    within(30, main)
