"""All four kinds of call, from real clients."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import BadRequest

from synapse_bridge.serve.incoming import EOF
from synapse_bridge.serve.testing import Client, run


@pytest.mark.parametrize("method", ["count", "count_async"])
@pytest.mark.parametrize("up_to", [0, 1, 3, 1000])
def test_results_come_one_by_one(method: str, up_to: int) -> None:
    async def test(client: Client) -> None:
        found = await client.results(method, client.request(method, up_to=up_to))
        assert found == list(range(up_to))
        assert client.module.SEEN["finally"] == 1

    run(test)


@pytest.mark.parametrize(
    "method", ["any_iterable", "plain_iterator", "later", "later_sync", "at_once"]
)
def test_every_way_to_give_a_stream(method: str) -> None:
    async def test(client: Client) -> None:
        assert await client.results(method, client.request(method, items="abc")) == ["a", "b", "c"]

    run(test)


def test_an_item_may_be_a_list() -> None:
    async def test(client: Client) -> None:
        items = [{"items": [{"value": 1}, {}]}, {}]
        found = await client.results("lists", client.request("lists", items=items))
        assert [[i.value if i.HasField("value") else None for i in one] for one in found] == [
            [1, None],
            [],
        ]

    run(test)


@pytest.mark.parametrize("method", ["total", "total_async"])
def test_requests_come_one_by_one(method: str) -> None:
    async def test(client: Client) -> None:
        for count in (1, 2, 1000):
            requests = client.numbers(method, range(count), start=5)
            assert await client.result(method, iter(requests)) == 5 + sum(range(count))

    run(test)


@pytest.mark.parametrize("method", ["total", "total_async"])
def test_a_stream_may_be_empty(method: str) -> None:
    async def test(client: Client) -> None:
        assert await client.result(method, iter([])) == 0
        assert await client.result(method, iter([client.request(method, start=7)])) == 7
        # A message without an item adds none, wherever it stands.
        requests = [client.request(method, numbers=1), client.request(method)]
        assert await client.result(method, iter(requests)) == 1

    run(test)


def test_both_ways_at_once() -> None:
    async def test(client: Client) -> None:
        call = client.call("double", None)
        for number in (1, 0, -5):
            await call.write(client.request("double", numbers={"value": number}))
            assert (await call.read()).result == number * 2
        await call.write(client.request("double", numbers={}))
        assert not (await call.read()).HasField("result")
        await call.done_writing()
        assert await call.read() is EOF
        assert await call.code() == grpc.StatusCode.OK
        assert client.module.SEEN["doubled"] == 1

    run(test)


def test_both_ways_with_arguments_in_the_first_request() -> None:
    async def test(client: Client) -> None:
        numbers = [{"value": 1}, {}, {"value": 3}]
        requests = [client.request("double_async", numbers=number) for number in numbers]
        requests[0].greeting = "hello"
        responses = [r async for r in client.call("double_async", iter(requests))]
        found = [r.result if r.HasField("result") else None for r in responses]
        assert found == [5, 2, None, 6]

    run(test)


def test_a_function_without_other_arguments_can_speak_first() -> None:
    async def test(client: Client) -> None:
        call = client.call("speak_first", None)
        assert (await call.read()).result == -1
        await call.write(client.request("speak_first", numbers=4))
        assert (await call.read()).result == 4
        call.cancel()

    run(test)


@pytest.mark.parametrize("method", ["first", "first_async"])
def test_a_function_need_not_read_to_the_end(method: str) -> None:
    async def test(client: Client) -> None:
        call = client.call(method, None)
        await call.write(client.request(method, numbers=4))
        assert (await call).result == 4
        # Nobody reads on.
        call = client.call(method, iter(client.numbers(method, range(1000))))
        assert (await call).result == 0

    run(test)


@pytest.mark.parametrize("method", ["skus", "skus_async"])
def test_an_invalid_item_is_named_by_its_position(method: str) -> None:
    async def test(client: Client) -> None:
        items = [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}, {"sku": ""}, {"sku": "d"}]
        requests = [client.request(method, items=item) for item in items]
        failure = await client.failure(method, iter(requests))
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT
        assert [(v.field, v.reason) for v in failure.detail(BadRequest()).field_violations] == [
            ("items[3].sku", "STRING_TOO_SHORT")
        ]
        # The sync one swallows the error, and cannot make a success of it.
        assert client.module.SEEN["swallowed"] == (method == "skus")

    run(test)


@pytest.mark.parametrize("method", ["wrong", "wrong_async"])
def test_a_result_that_does_not_fit_is_named_by_its_position(method: str) -> None:
    async def test(client: Client) -> None:
        failure = await client.failure(method, client.request(method, after=2))
        assert [item.sku for item in failure.results] == ["a", "a"]
        assert failure.code == grpc.StatusCode.INTERNAL
        assert "result[2].tags[0]: Input should be a valid string, got int" in failure.text

    run(test)


@pytest.mark.parametrize("method", ["total", "total_async", "double", "double_async"])
def test_what_is_no_request_is_refused(method: str) -> None:
    async def test(client: Client) -> None:
        class NoMessage:
            def SerializeToString(self) -> bytes:
                return b"\xff"

        failure = await client.failure(method, iter([NoMessage()]))
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT
        assert "were client and server generated together?" in failure.text

    run(test)


def test_invalid_arguments_are_told_before_the_function_is_called() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("count", client.request("count"))
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT
        assert client.module.SEEN["started"] == 0

    run(test)


def test_a_generator_keeps_its_context_variables() -> None:
    async def test(client: Client) -> None:
        results = await client.results("steps", client.request("steps", up_to=2000))
        assert results == list(range(1, 2001))
        assert client.module.STEP.get() == 0

    run(test)
