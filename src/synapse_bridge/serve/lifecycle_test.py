"""Cancellation, deadlines, back-pressure: functions learn of them, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from synapse_bridge.serve import incoming, outgoing
from synapse_bridge.serve.testing import Client, run, until

TURNS = int(os.environ.get("CANCELLED_TURNS", "30"))
"""Of six cancelled calls each, on each transport; 1700 make 10,000 calls."""


@pytest.mark.parametrize("method", ["count", "count_async", "tail", "tail_async"])
def test_a_cancelled_generator_is_closed(method: str) -> None:
    async def test(client: Client) -> None:
        fields: dict[str, Any] = {"text": b"x"} if "tail" in method else {"up_to": 10**6}
        if "count" in method:
            fields["pause"] = 0.01
        call = client.call(method, client.request(method, **fields))
        await call.read()
        await call.read()
        call.cancel()
        seen = client.module.SEEN
        await until(lambda: seen["finally"] == 1)
        if "count" in method:
            assert seen["exit"] == 1

    run(test)


@pytest.mark.parametrize("method", ["count", "count_async"])
def test_a_generator_is_closed_at_the_deadline(method: str) -> None:
    async def test(client: Client) -> None:
        request = client.request(method, up_to=10**6, pause=0.01)
        failure = await client.failure(method, request, timeout=1)
        assert failure.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert failure.results[:2] == [0, 1]
        await until(lambda: client.module.SEEN["exit"] == 1)

    run(test)


@pytest.mark.parametrize("method", ["count", "count_async"])
def test_a_generator_is_closed_when_the_client_dies(method: str) -> None:
    async def test(client: Client) -> None:
        call = client.call(method, client.request(method, up_to=10**6, pause=0.01))
        await call.read()
        await client.channel.close(None)
        await until(lambda: client.module.SEEN["exit"] == 1)

    run(test)


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_a_sync_function_sees_a_flag(how: str) -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        timeout = 1 if how == "deadline" else 20
        call = client.call("watch", client.request("watch", seconds=15), timeout=timeout)
        await until(lambda: seen["started"] == 1)
        if how == "cancel":
            call.cancel()
        else:
            assert await call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: seen["cancelled"] == 1)
        assert seen["flag"] == 1

    run(test)


@pytest.mark.parametrize("how", ["cancel", "deadline"])
@pytest.mark.parametrize("method", ["watch_async", "watch_from"])
def test_an_async_function_is_cancelled_and_sees_the_flag(method: str, how: str) -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        request = client.request("watch_async", seconds=15) if method == "watch_async" else None
        call = client.call(method, request, timeout=1 if how == "deadline" else 20)
        if method == "watch_from":
            await call.write(client.request(method, numbers=1))
            await call.read()
        await until(lambda: seen["started"] == 1)
        if how == "cancel":
            call.cancel()
        else:
            assert await call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: seen["cancelled"] == 1)
        # grpcio tells its context when the function is through.
        if client.server.options.transport == "http2":
            assert seen["flag"] == 1

    run(test)


@pytest.mark.parametrize("method", ["double", "drain"])
def test_a_sync_function_that_waits_for_an_item_is_woken(method: str) -> None:
    async def test(client: Client) -> None:
        call = client.call(method, None)
        value = {"value": 1} if method == "double" else 1
        await call.write(client.request(method, numbers=value))
        busy = threading.active_count()
        call.cancel()
        if method == "double":
            await until(lambda: client.module.SEEN["doubled"] == 1)
        # All threads of the pool are free again: as many calls as there are threads get through.
        calls = [client.results("count", client.request("count", up_to=3)) for _ in range(8)]
        assert await asyncio.gather(*calls) == [[0, 1, 2]] * 8
        assert threading.active_count() <= busy + 4

    run(test)


@pytest.mark.parametrize("method", ["total", "total_async"])
def test_a_stream_that_breaks_off_is_not_taken_for_a_whole_one(method: str) -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        for _ in range(100):
            call, before = client.call(method, None), seen["taken"]
            await call.write(client.request(method, numbers=1))
            while seen["taken"] == before:
                await asyncio.sleep(0.001)
            call.cancel()
        await client.results("count", client.request("count", up_to=3))
        await until(lambda: len(asyncio.all_tasks()) < 20)
        assert seen["complete"] == 0

    run(test)


def test_the_contracts_deadline_is_the_servers() -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        failure = await client.failure("limited", client.request("limited", seconds=15))
        assert failure.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert failure.text == "Limited took longer than it may, which is 0.5 s"
        await until(lambda: seen["cancelled"] == 1)
        failure = await client.failure("limited_async", client.request("limited_async", seconds=15))
        assert (failure.code, failure.results) == (grpc.StatusCode.DEADLINE_EXCEEDED, [1])
        assert seen["finally"] == 1
        # Who has less time gets less.
        request = client.request("limited", seconds=0)
        remaining = [await client.result("limited", request) for _ in range(5)]
        assert 0.41 < max(remaining) <= 0.5, "it is what is left when the function begins"
        assert await client.result("limited", request, timeout=0.4) <= 0.41

    run(test)


@pytest.mark.parametrize("method", ["tail", "tail_async"])
def test_a_client_that_does_not_read_stops_the_generator(method: str) -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        call = client.call(method, client.request(method, text=b"x" * 10_000))
        await call.read()
        await settled(lambda: seen["yielded"])
        before = seen["yielded"]
        # What HTTP/2's windows and gRPC hold, and what we look ahead.
        assert before * 10_000 < 32 * 2**20
        for _ in range(before + 10):
            await call.read()
        assert seen["yielded"] > before
        call.cancel()
        await until(lambda: seen["finally"] == 1)

    run(test)


def test_a_client_that_does_not_read_holds_no_thread() -> None:
    async def test(client: Client) -> None:
        request = client.request("tail", text=b"x" * 10_000)
        calls = [client.call("tail", request) for _ in range(12)]  # There are four threads.
        for call in calls:
            await call.read()
        assert await client.results("steps", client.request("steps", up_to=3)) == [1, 2, 3]
        for call in calls:
            call.cancel()
        await until(lambda: client.module.SEEN["finally"] == 12)

    run(test)


def test_a_slow_function_stops_the_client() -> None:
    async def test(client: Client) -> None:
        sent = 0

        async def requests() -> AsyncIterator[Any]:
            nonlocal sent
            while True:
                yield client.request("slowly", blobs=b"x" * 10_000, pause=10)
                sent += 1

        call = client.call("slowly", requests())
        await until(lambda: client.module.SEEN["taken"] == 1)
        await settled(lambda: sent)
        # What HTTP/2's windows and gRPC hold, and what we look ahead.
        assert sent * 10_000 < 32 * 2**20
        call.cancel()

    run(test)


async def settled(value: Any) -> None:
    """Wait until a count stands still."""
    last = None
    while value() != last:
        last = value()
        await asyncio.sleep(0.3)


def test_nothing_is_left_of_cancelled_calls() -> None:
    async def test(client: Client) -> None:
        seen = client.module.SEEN
        await client.results("count", client.request("count", up_to=100))
        tasks = len(asyncio.all_tasks())
        for turn in range(TURNS):
            calls = [
                client.call("count", client.request("count", up_to=10**6)),
                client.call("count_async", client.request("count_async", up_to=10**6)),
                client.call("double", None),
                client.call("double_async", None),
                client.call("total", None),
                client.call("total_async", None),
            ]
            if turn % 2:
                await calls[0].read()
                await calls[1].read()
            for call in calls:
                call.cancel()
            await asyncio.gather(*(call.code() for call in calls))
        await until(lambda: seen["started"] == seen["finally"])
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        await until(lambda: _threads() <= 4)
        if client.server.options.transport == "http2":
            load = client.server._transport._load  # type: ignore[attr-defined] # our own transport's
            await until(lambda: (load.streams, load.pending) == (0, 0))
        assert await client.results("count", client.request("count", up_to=2)) == [0, 1]

    run(test, seconds=60 + TURNS)


def _threads() -> int:
    return sum(thread.name.startswith("synapse-") for thread in threading.enumerate())


def test_the_bounds_are_what_the_documentation_says() -> None:
    assert (outgoing.MESSAGES, outgoing.BYTES) == (64, 256 * 1024)
    assert (incoming.MESSAGES, incoming.BYTES) == (64, 256 * 1024)
