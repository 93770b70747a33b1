"""Errors of calls: declared exceptions, errors in mid-stream, the context's trailers."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo, RetryInfo

from synapse_bridge.serve.testing import Client, run


@pytest.mark.parametrize(
    ("method", "code"),
    [("fail", grpc.StatusCode.FAILED_PRECONDITION), ("fail_async", grpc.StatusCode.ABORTED)],
)
def test_a_declared_exception_crosses_in_mid_stream(method: str, code: grpc.StatusCode) -> None:
    async def test(client: Client) -> None:
        failure = await client.failure(method, client.request(method, after=3, kind="stock"))
        assert failure.results == [0, 1, 2]
        assert failure.code == code
        assert failure.text == "3 of a are missing"
        error = failure.detail(client.pb.OutOfStock())
        assert (error.sku, error.missing, error.retry_after) == ("a", 3, 1.5)
        assert failure.detail(RetryInfo()).retry_delay.ToMilliseconds() == 1500
        info = failure.detail(ErrorInfo())
        assert info.reason == "OUT_OF_STOCK"
        assert info.metadata["exception"] == "streaming.OutOfStock"
        assert failure.detail(DebugInfo()) is None

    run(test)


def test_a_declared_exception_crosses_from_a_plain_function() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("fail_once", client.request("fail_once", kind="stock"))
        assert failure.code == grpc.StatusCode.FAILED_PRECONDITION
        assert failure.detail(client.pb.OutOfStock()).missing == 3

    run(test)


def test_a_docstring_declares_and_a_class_says_its_code() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("fail", client.request("fail", kind="busy", after=1))
        assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert failure.text == "try later"
        assert failure.detail(client.pb.Busy()) is not None
        # The other function does not declare it: its code goes, its text stays.
        failure = await client.failure("fail_async", client.request("fail_async", kind="busy"))
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT  # `after` is missing
        request = client.request("fail_async", kind="busy", after=1)
        failure = await client.failure("fail_async", request)
        assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "try later" not in str(failure.error)
        assert failure.detail(client.pb.Busy()) is None

    run(test)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("type", "exception.missing: Input should be a valid integer, got str"),
        ("missing", "exception.sku: There is no such attribute"),
    ],
)
def test_an_exception_that_does_not_fit_is_the_servers_fault(kind: str, problem: str) -> None:
    async def test(client: Client) -> None:
        request = client.request("fail", after=1, kind=kind)
        failure = await client.failure("fail", request)
        assert failure.code == grpc.StatusCode.INTERNAL
        assert failure.text == f"The exception of Fail does not fit its annotation: {problem}"
        assert failure.detail(client.pb.OutOfStock()) is None

    run(test)


def test_an_exception_too_large_for_a_trailer_is_told_so() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("fail", client.request("fail", after=0, kind="large"))
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT
        assert failure.text == "the text"
        assert failure.detail(client.pb.Large()) is None
        info = failure.detail(ErrorInfo())
        assert info.metadata["omitted"] == "streaming.v1.Large"
        assert int(info.metadata["omitted_bytes"]) > 20_000 > int(info.metadata["room"])

    run(test)


@pytest.mark.parametrize("after", [0, 2])
def test_a_client_that_takes_large_trailers_gets_a_large_exception(after: int) -> None:
    async def test(client: Client) -> None:
        sizes = ("grpc.max_metadata_size", "grpc.absolute_max_metadata_size")
        options = [(size, 65_536) for size in sizes] + [("grpc.use_local_subchannel_pool", 1)]
        target = str(client.server._address)
        async with grpc.aio.insecure_channel(target, options=options) as channel:
            large = Client(client.server, channel)
            request = large.request("fail", after=after, kind="large")
            failure = await large.failure("fail", request)
        assert failure.results == list(range(after))
        found, info = failure.detail(client.pb.Large()), failure.detail(ErrorInfo())
        if client.server.options.transport == "http2":
            assert found.text == "x" * 20_000
            assert "omitted" not in info.metadata
        else:
            # grpcio does not tell what the client has said.
            assert found is None
            assert info.metadata["omitted"] == "streaming.v1.Large"

    run(test)


@pytest.mark.parametrize("method", ["fail", "fail_async"])
def test_an_undeclared_exception_keeps_its_text_in_mid_stream(method: str) -> None:
    async def test(client: Client) -> None:
        failure = await client.failure(method, client.request(method, after=2, kind="zero"))
        assert (failure.code, failure.results) == (grpc.StatusCode.INTERNAL, [0, 1])
        assert "secret" not in str(failure.error)
        assert failure.detail(ErrorInfo()).metadata["exception"] == "builtins.ZeroDivisionError"

    run(test)


@pytest.mark.parametrize("method", ["fail", "fail_async", "fail_once"])
@pytest.mark.parametrize(
    ("kind", "exception"),
    [("unreadable", "streaming.Unreadable"), ("cancelled", "asyncio.exceptions.CancelledError")],
)
def test_an_exception_of_any_kind_ends_the_call_and_no_more(
    method: str, kind: str, exception: str
) -> None:
    async def test(client: Client) -> None:
        fields = {} if method == "fail_once" else {"after": 1}
        for _ in range(6):  # more than there are threads
            failure = await client.failure(method, client.request(method, kind=kind, **fields))
            assert failure.code == grpc.StatusCode.INTERNAL
            assert failure.detail(ErrorInfo()).metadata["exception"] == exception
            assert "secret" not in str(failure.error)

    run(test)


def test_debug_adds_the_traceback() -> None:
    async def test(client: Client) -> None:
        for kind in ("stock", "zero"):
            failure = await client.failure("fail", client.request("fail", after=1, kind=kind))
            assert "_error(kind)" in "".join(failure.detail(DebugInfo()).stack_entries)

    run(test, debug=True)


@pytest.mark.parametrize("kind", ["", "_given", "_taken", "_both"])
@pytest.mark.parametrize("of", ["", "_async"], ids=["sync", "async"])
def test_the_context_tells_of_the_call(kind: str, of: str) -> None:
    async def test(client: Client) -> None:
        method, streamed = f"facts{kind}{of}", kind in ("_taken", "_both")
        metadata = (("x-test", "1"), ("x-test", "2"), ("traceparent", "00-1-2-01"))
        requests = [client.request(method, **({"numbers": n} if streamed else {})) for n in (1, 2)]
        request = iter(requests) if streamed else requests[0]
        call = client.call(method, request, timeout=60, metadata=metadata)
        if kind in ("_given", "_both"):
            (facts,) = [dict(response.result) async for response in call]
        else:
            facts = dict((await call).result)
        assert facts["peer"].startswith("ipv4:127.0.0.1:")
        assert 40 < float(facts["remaining"]) <= 60.1
        assert facts["deadline"].endswith("+00:00")
        assert (facts["metadata"], facts["all"]) == ("2", "('1', '2')")
        assert facts["traceparent"] == "00-1-2-01"
        assert facts.get("sum") == ("3" if streamed else None)
        trailers: dict[str, Any] = dict(await call.trailing_metadata())
        assert (trailers["seen"], trailers["seen-bin"]) == ("yes", b"\0")

    run(test)


def test_trailing_metadata_goes_with_an_error_too() -> None:
    async def test(client: Client) -> None:
        request = client.request("refuse_with_trailer")
        failure = await client.failure("refuse_with_trailer", request)
        assert failure.code == grpc.StatusCode.NOT_FOUND
        assert failure.trailers["seen"] == "yes"
        assert failure.detail(ErrorInfo()).reason == "KEY_ERROR"

    run(test)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("count", {"up_to": 1}),
        ("count_async", {"up_to": 1}),
        ("total", {}),
        ("facts", {}),
        ("watch_async", {"seconds": 0}),
        ("at_most", {"number": 1}),
    ],
)
def test_a_client_of_another_contract_is_told(method: str, fields: dict[str, Any]) -> None:
    async def test(client: Client) -> None:
        ours = client.service.contract
        for said, told in (("c0ffee", ours), (ours, None)):
            request = client.request(method, **fields)
            sent = iter([request]) if method == "total" else request
            call = client.call(method, sent, metadata=(("synapse-contract", said),))
            head: dict[str, Any] = dict(await call.initial_metadata())
            assert head.get("synapse-contract") == told
            if "count" in method:
                assert [response.result async for response in call] == [0]
            assert await call.code() == grpc.StatusCode.OK

    run(test)


def test_a_client_learns_what_differs() -> None:
    async def test(client: Client) -> None:
        from synapse_bridge.v1 import contracts_pb2 as pb

        get = client.channel.unary_unary(
            "/synapse_bridge.v1.Contracts/Get",
            request_serializer=pb.GetRequest.SerializeToString,
            response_deserializer=pb.GetResponse.FromString,
        )
        response = await get(pb.GetRequest(service="streaming.v1.StreamingService"), timeout=10)
        assert response.contract == client.service.contract
        assert dict(response.methods) == {m.name: m.fingerprint for m in client.service.methods}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get(pb.GetRequest(service="other.v1.Service"), timeout=10)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    run(test)


def test_violations_of_plain_arguments_have_no_position() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("slowly", iter([client.request("slowly", blobs=b"x")]))
        assert [v.field for v in failure.detail(BadRequest()).field_violations] == ["pause"]

    run(test)
