"""Clients that mean harm, against a generated server: others do not notice them."""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio
import pytest
from faults.attacker import FLOODS, NO_WINDOW, Attacker, attacker
from samples import Bridges
from servers import Server

SERVICE = "/streams.v1.StreamsService"
MEGABYTE = 1024 * 1024
LORISES = 200
AT_ONCE = 8
"""Calls that the well-behaved client makes at a time."""
PATIENCE = 10.0
"""Seconds that a call of a well-behaved client may take on a busy machine."""


@pytest.fixture(scope="module")
def messages(bridges: Bridges) -> Any:
    """The protobuf classes of the service."""
    sys.path.insert(0, str(bridges["streams"].folder / "python"))
    try:
        return importlib.import_module("streams_pb2")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def server(bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all attacks: what one leaves behind, the next one finds."""
    with Server(bridges["streams"], tmp_path_factory.mktemp("attacked")) as server:
        yield server


class Citizen:
    """A client that behaves well: ``calls`` it made, which the server counts by its ``label``."""

    def __init__(self, channel: grpc.aio.Channel, messages: Any) -> None:
        self._messages = messages
        self.label = f"citizen {uuid.uuid4()}"
        self._go_on = channel.unary_unary(
            f"{SERVICE}/GoOn",
            request_serializer=messages.GoOnRequest.SerializeToString,
            response_deserializer=None,
        )
        self._seen = channel.unary_unary(
            f"{SERVICE}/Seen",
            request_serializer=messages.SeenRequest.SerializeToString,
            response_deserializer=messages.SeenResponse.FromString,
        )
        self.calls = 0

    async def call(self) -> None:
        """A call that is counted; raises if it is not answered in time."""
        request = self._messages.GoOnRequest(label=self.label, parts=1)
        await self._go_on(request, timeout=PATIENCE)
        self.calls += 1

    async def seen(self, label: str | None = None) -> Any:
        """What the server counted."""
        request = self._messages.SeenRequest(label=label or self.label)
        return (await self._seen(request, timeout=PATIENCE)).result

    async def during(self, attack: Awaitable[Any]) -> None:
        """Make calls, some at a time, for as long as an attack lasts."""
        task = asyncio.ensure_future(attack)
        while not task.done():
            await self.some_calls()
        await task

    async def some_calls(self) -> None:
        """Make calls at the same time."""
        await asyncio.gather(*(self.call() for _ in range(AT_ONCE)))


@asynccontextmanager
async def citizen(server: Server, messages: Any, attack: str) -> AsyncIterator[Citizen]:
    """A well-behaved client. Afterwards each of its calls has run once, and the server is as it was
    before, which a line tells."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        client = Citizen(channel, messages)
        before = await client.seen()
        yield client
        over = time.monotonic()
        after = await _until(client.seen, lambda seen: seen.tasks <= before.tasks)
        recovered = (time.monotonic() - over) * 1000
        assert after.counts["allowed"] == client.calls, "a call was lost, or ran twice"
        assert after.threads <= before.threads + 1
        assert after.resident - before.resident < 48 * MEGABYTE
        print(f"| {attack} | {client.calls} | 0 | 0 | {recovered:.0f} ms |")


async def _until(look: Callable[[], Awaitable[Any]], is_it: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + PATIENCE
    while not is_it(seen := await look()):
        assert time.monotonic() < end, f"it did not come to pass: {seen}"
    return seen


def run(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 120))


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_its_connection_only(name: str, server: Server, messages: Any) -> None:
    async def flood() -> None:
        async with attacker(server.port) as one:
            one.writer.write(one.greet())
            ending = asyncio.ensure_future(one.ended())
            await one.flood(FLOODS[name](one, f"{SERVICE}/Never"))
            await asyncio.wait_for(ending, PATIENCE)  # The server has closed the connection.

    async def main() -> None:
        async with citizen(server, messages, name) as client:
            for _ in range(2):
                await client.during(asyncio.gather(flood(), flood()))
            assert client.calls >= 2 * AT_ONCE

    run(main)


def test_two_hundred_slow_clients_stop_nobody(server: Server, messages: Any) -> None:
    request = messages.CountAsyncRequest(up_to=1_000_000, label="loris").SerializeToString()

    def opening(one: Attacker, number: int) -> tuple[bytes, bytes]:
        """What a client sends at once, and what byte by byte."""
        path = f"{SERVICE}/CountAsync"
        match number % 4:
            case 0:
                return b"", one.greet()
            case 1:
                return one.greet(), one.headers(1, path)
            case 2:
                return one.greet() + one.headers(1, path), one.call(3, path, b"x" * 200)
            case _:
                return one.greet(NO_WINDOW) + one.call(1, path, request), one.greet()[:0]

    async def main() -> None:
        async with (
            citizen(server, messages, "200 slow clients") as client,
            AsyncExitStack() as stack,
        ):
            slow = []
            for number in range(LORISES):
                one = await stack.enter_async_context(attacker(server.port))
                begin, rest = opening(one, number)
                one.writer.write(begin)
                slow.append((one, rest))
            for index in range(100):
                for one, rest in slow:
                    with suppress(ConnectionError):
                        one.writer.write(rest[index : index + 1])
                await client.call()
            held = await client.seen("loris")
            assert held.counts["started"] == LORISES // 4
            assert held.counts["yielded"] <= LORISES // 4, "nobody takes what is produced"
            assert client.calls >= 100

    run(main)


def test_a_stalled_window_holds_what_it_stalls_and_no_more(server: Server, messages: Any) -> None:
    async def main() -> None:
        request = messages.LinesRequest(number=10**6, label="stalled").SerializeToString()
        async with (
            citizen(server, messages, "100 stalled streams") as client,
            attacker(server.port) as one,
        ):
            one.writer.write(one.greet(NO_WINDOW))
            for stream in range(1, 201, 2):
                one.writer.write(one.call(stream, f"{SERVICE}/Lines", request))
            stalled = await _until(
                lambda: client.seen("stalled"), lambda seen: seen.counts["yielded"] >= 100
            )
            assert stalled.counts["yielded"] == 100, "one each, which nobody takes"
            await client.some_calls()

    run(main)
