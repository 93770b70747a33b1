"""The server against grpcio's own client, and against h2, which checks all that it is sent."""

from __future__ import annotations

import ast
import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import h2.config
import h2.connection
import h2.events
import pytest
import trustme

from synapse_bridge.serve.http2 import Limits, Server
from synapse_bridge.serve.http2.conftest import Echo, serving, within

UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


def method(channel: Any, name: str) -> Any:
    """What calls a method of the echo service."""
    kind = {
        "Unary": channel.unary_unary,
        "Produce": channel.unary_stream,
        "Collect": channel.stream_unary,
        "Mirror": channel.stream_stream,
        "Written": channel.stream_stream,
    }[name]
    return kind(f"/test.Echo/{name}")


def connect(port: int) -> Any:
    """A channel to a server on this machine."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=UNLIMITED)


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


def test_all_four_kinds(echo: Echo) -> None:
    async def requests() -> AsyncIterator[bytes]:
        for size in (0, 1, 100, 100_000, 3):
            yield b"x" * size

    async def main() -> None:
        async with serving(echo) as (_, port), connect(port) as channel:
            assert await method(channel, "Unary")(b"hello") == b"hello"
            assert len([m async for m in method(channel, "Produce")(b"5000")]) == 5000
            assert await method(channel, "Collect")(requests()) == b"100104"
            for name in ("Mirror", "Written"):
                sizes = [len(m) async for m in method(channel, name)(requests())]
                assert sizes == [0, 1, 100, 100_000, 3]

    within(20, main)


def test_ten_megabytes_each_way_and_a_thousand_calls_at_once(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo, max_streams=100) as (_, port), connect(port) as channel:
            unary = method(channel, "Unary")
            for size in (16_379, 16_380, 65_535, 10_240_000):  # one frame, two, and many
                large = bytes(range(256)) * (size // 256) + bytes(size % 256)
                assert await unary(large) == large
            answers = await asyncio.gather(*[unary(str(n).encode()) for n in range(1000)])
            assert answers == [str(n).encode() for n in range(1000)]

    within(30, main)


def test_statuses_and_metadata_cross(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (_, port), connect(port) as channel:
            unary = method(channel, "Unary")
            error = await failure(unary(b"abort"))
            assert error.code() is grpc.StatusCode.NOT_FOUND
            assert error.details() == "nö 100%\n"
            trailing: Any = error.trailing_metadata()
            assert dict(trailing) == {"plain": "text", "data-bin": b"\0\xff"}
            error = await failure(unary(b"code"))
            assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "some")
            call = unary(b"head")
            assert dict(await call.initial_metadata()) == {"early": "yes"}
            assert await call == b"head"
            assert dict(await call.trailing_metadata()) == {"late": "too"}
            sent = (("key", "value"), ("data-bin", b"\1\2\3"), ("key", "and"))
            got = ast.literal_eval((await unary(b"metadata", metadata=sent)).decode())
            assert sorted(item for item in got if item[0] in ("key", "data-bin")) == sorted(sent)

    within(30, main)


def test_an_exception_of_a_handler_tells_the_client_nothing(
    echo: Echo, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving(echo) as (_, port), connect(port) as channel:
            error = await failure(method(channel, "Unary")(b"raise"))
            assert error.code() is grpc.StatusCode.UNKNOWN
            assert "secret" not in (error.details() or "")
            assert "a secret" in caplog.text

    within(30, main)


def test_what_cannot_be_served_is_refused(echo: Echo) -> None:
    async def main() -> None:
        limits = {"max_receive": 1000, "max_send": 500}
        async with serving(echo, **limits) as (_, port), connect(port) as channel:
            unary = method(channel, "Unary")
            error = await failure(channel.unary_unary("/test.Echo/Nothing")(b""))
            assert error.code() is grpc.StatusCode.UNIMPLEMENTED
            for size in (501, 1001):
                error = await failure(unary(b"x" * size))
                assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, size
            assert len(await unary(b"x" * 500)) == 500
            # A bomb: a thousand times as large as it looks.
            gzip = grpc.Compression.Gzip
            error = await failure(unary(b"x" * 500_000, compression=gzip))
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert await unary(b"x" * 500, compression=gzip) == b"x" * 500
            # More than one message, or none, where one is due.
            for messages in ([], [b"a", b"b"]):
                call = channel.stream_unary("/test.Echo/Unary")(iter(messages))
                assert (await failure(call)).code() is grpc.StatusCode.UNIMPLEMENTED

    within(30, main)


def test_a_cancelled_call_is_cancelled_in_the_handler(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port), connect(port) as channel:
            call = method(channel, "Unary")(b"wait")
            while not server._dispatch.tasks:
                await asyncio.sleep(0.001)
            call.cancel()
            while len(echo.ended) < 2:
                await asyncio.sleep(0.001)
            assert echo.ended == ["cancelled", "callback"]
            produce = method(channel, "Produce")(b"1000000")
            async for _ in produce:
                break
            produce.cancel()
            while len(echo.ended) < 3:
                await asyncio.sleep(0.001)
            assert echo.ended[2] == "closed"
            assert echo.produced < 1_000_000

    within(30, main)


def test_a_deadline_ends_the_call_on_the_server(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (_, port), connect(port) as channel:
            await method(channel, "Unary")(b"hello")  # The connection is there.
            error = await failure(method(channel, "Unary")(b"wait", timeout=0.5))
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            while not echo.ended:
                await asyncio.sleep(0.001)
            assert echo.ended[0] == "cancelled"

    within(30, main)


def test_a_lost_connection_cancels_its_calls_and_leaves_nothing(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port):
            async with connect(port) as channel:
                call = method(channel, "Unary")(b"wait")
                while not server._dispatch.tasks:
                    await asyncio.sleep(0.001)
                del call
            while server._dispatch.tasks or server._load.connections:
                await asyncio.sleep(0.001)
            assert echo.ended == ["cancelled", "callback"]

    within(30, main)


def test_stopping_cancels_what_does_not_end_in_time(echo: Echo) -> None:
    async def main() -> None:
        async with serving(echo) as (server, port), connect(port) as channel:
            call = asyncio.ensure_future(failure(method(channel, "Unary")(b"wait")))
            while not server._dispatch.tasks:
                await asyncio.sleep(0.001)
            await server.stop(0.05)
            assert (await call).code() is grpc.StatusCode.UNAVAILABLE
            assert echo.ended[0] == "stopped"

    within(30, main)


def test_a_unix_socket(echo: Echo, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "s"
        server = Server()
        server.add_generic_rpc_handlers([echo.handlers()])
        server.bind_unix(str(path))
        await server.start()
        assert path.stat().st_mode & 0o777 == 0o600
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            assert await method(channel, "Unary")(b"hello") == b"hello"
        await server.stop(0)

    within(30, main)


def test_h2_finds_nothing_wrong_with_what_is_sent(echo: Echo) -> None:
    """The library keeps the state of both sides, and raises where a frame does not fit it."""

    async def main() -> None:
        async with serving(echo) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
            client.initiate_connection()
            message = b"\0\0\0\x27\x10" + b"x" * 10_000
            usual = [
                (":method", "POST"),
                (":scheme", "http"),
                (":authority", "localhost"),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
            ]
            for stream, name in ((1, "Unary"), (3, "Mirror"), (5, "Nothing"), (7, "Collect")):
                client.send_headers(stream, [(":path", f"/test.Echo/{name}"), *usual])
                for start in range(0, len(message), 4_000):
                    part = message[start : start + 4_000]
                    client.send_data(stream, part, end_stream=start + 4_000 >= len(message))
            writer.write(client.data_to_send())
            bodies = dict.fromkeys((1, 3, 5, 7), b"")
            fields: dict[int, dict[str, str]] = {stream: {} for stream in bodies}
            while not all("grpc-status" in found for found in fields.values()):
                for event in client.receive_data(await reader.read(65_536)):
                    if isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        client.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    if isinstance(event, h2.events.TrailersReceived | h2.events.ResponseReceived):
                        fields[event.stream_id] |= {
                            str(name): str(value) for name, value in event.headers
                        }
                    assert not isinstance(event, h2.events.ConnectionTerminated)
                writer.write(client.data_to_send())
            assert bodies[1] == bodies[3] == message
            assert bodies[7] == b"\0\0\0\0\x0510000"
            assert [fields[n]["grpc-status"] for n in bodies] == ["0", "0", "12", "0"]
            writer.close()

    within(30, main)


def test_a_port_in_use_is_an_os_error(echo: Echo) -> None:
    async def main() -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(OSError, match="in use"),
        ):
            Server().bind("127.0.0.1", taken.getsockname()[1])

    within(30, main)


def test_a_tls_handshake_that_does_not_go_on_ends(echo: Echo) -> None:
    cert = trustme.CA().issue_cert("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(tls)

    async def main() -> None:
        server = Server(Limits(handshake=0.2))
        server.add_generic_rpc_handlers([echo.handlers()])
        port = server.bind("127.0.0.1", 0, tls=tls)
        await server.start()
        for hello in (b"", b"\x16\x03\x01\x02\x00\x01"):  # nothing, and the begin of a ClientHello
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(hello)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        await server.stop(0)

    within(30, main)
