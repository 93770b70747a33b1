"""A real client calls a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from synapse_bridge.serve.conftest import Running, stub


def detail(failure: grpc.Call, kind: Any) -> Any:
    status = rpc_status.from_call(failure)
    assert status is not None
    for found in status.details:
        message = kind()
        if found.Unpack(message):
            return message
    return None


def order(**fields: Any) -> dict[str, Any]:
    return {"number": 1, "items": [{"sku": "a"}], **fields}


def test_values_go_in_and_come_out(server: Running, pb: Any) -> None:
    sent = order(
        number=-(2**62),
        address={"street": "Straße 1 🐍"},
        items=[{"sku": "a", "quantity": 2**63 - 1, "tags": ["x"]}, {"sku": "b"}],
        prices={"a": 0.1, "odd key": float("inf")},
        currency=2,
        priority=1,
        coupon={},
        parent=order(number=7),
    )
    result = server.call("Echo", pb.EchoRequest(order=sent, names=["n"])).result
    assert result.number == -(2**63)  # the factor's default is 2
    assert result.address.street == "Straße 1 🐍"
    assert list(result.address.labels.items) == ["home"]
    assert [list(item.tags) for item in result.items] == [["x", "n"], ["n"]]
    assert [item.quantity for item in result.items] == [2**63 - 1, 1]
    assert dict(result.prices) == {"a": 0.1, "odd key": float("inf")}
    assert (result.currency, result.priority) == (2, 1)
    assert result.HasField("coupon")
    assert not result.coupon.HasField("value")
    assert result.parent.number == 7
    assert result.parent.currency == 1
    assert result.parent.coupon.value == "WELCOME"
    assert not result.parent.HasField("priority")
    assert not result.parent.HasField("address")


def test_all_violations_come_at_once_with_their_paths(server: Running, pb: Any) -> None:
    bad = {"items": [{"quantity": 0}, {"sku": ""}], "currency": 9, "priority": 0}
    failure = server.failure("Echo", pb.EchoRequest(order=bad | {"parent": {}}))
    assert failure.code() == grpc.StatusCode.INVALID_ARGUMENT
    violations = detail(failure, BadRequest).field_violations
    assert {(v.field, v.reason, v.description) for v in violations} == {
        ("order.number", "MISSING", "Field required"),
        ("order.items[0].sku", "MISSING", "Field required"),
        (
            "order.items[0].quantity",
            "GREATER_THAN_EQUAL",
            "Input should be greater than or equal to 1",
        ),
        ("order.items[1].sku", "STRING_TOO_SHORT", "String should have at least 1 character"),
        ("order.currency", "ENUM", "Input should be 'EUR' or 'USD'"),
        ("order.priority", "LITERAL_ERROR", "Input should be 'low' or 'high'"),
        ("order.parent.number", "MISSING", "Field required"),
    }
    assert detail(failure, ErrorInfo).metadata["contract"] == "c0ffee"


def test_the_text_of_a_validator_is_told(server: Running, pb: Any) -> None:
    failure = server.failure("Echo", pb.EchoRequest(order=order(number=13)))
    assert failure.details() == "order.number: Value error, 13 brings bad luck"


def test_an_unexpected_exception_in_a_validator_is_not_told(server: Running, pb: Any) -> None:
    failure = server.failure("Echo", pb.EchoRequest(order=order(number=14)))
    assert failure.code() == grpc.StatusCode.INTERNAL
    assert detail(failure, ErrorInfo).metadata["exception"] == "builtins.ZeroDivisionError"
    assert "secret" not in str(failure)


def test_bytes_that_are_no_message_are_an_invalid_request(server: Running) -> None:
    class Garbage:
        def SerializeToString(self) -> bytes:
            return b"\xff"

    failure = server.failure("Echo", Garbage())
    assert failure.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "probe.v1.EchoRequest" in str(failure.details())
    assert detail(failure, ErrorInfo).reason == "DECODE_ERROR"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "/probe.v1.ProbeService/Gone",
            "probe.v1.ProbeService has no method Gone: were client and server generated together?",
        ),
        ("/another.v1.Service/Gone", "Method not found!"),
    ],
)
def test_a_method_that_is_not_there_is_told(server: Running, path: str, text: str) -> None:
    with server.channel() as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(path, bytes, bytes)(b"", timeout=20)
    assert isinstance(raised.value, grpc.Call)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert raised.value.details() == text


EXCEPTIONS = {
    "zero": (grpc.StatusCode.INTERNAL, "ZERO_DIVISION_ERROR", "builtins.ZeroDivisionError"),
    "value": (grpc.StatusCode.INVALID_ARGUMENT, "VALUE_ERROR", "builtins.ValueError"),
    "key": (grpc.StatusCode.NOT_FOUND, "KEY_ERROR", "builtins.KeyError"),
    "file": (grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND_ERROR", "builtins.FileNotFoundError"),
    "permission": (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_ERROR",
        "builtins.PermissionError",
    ),
    "timeout": (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMEOUT_ERROR", "builtins.TimeoutError"),
    "unimplemented": (
        grpc.StatusCode.UNIMPLEMENTED,
        "NOT_IMPLEMENTED_ERROR",
        "builtins.NotImplementedError",
    ),
    "own": (grpc.StatusCode.UNIMPLEMENTED, "OWN_ERROR", "probe.OwnError"),
    "exit": (grpc.StatusCode.INTERNAL, "SYSTEM_EXIT", "builtins.SystemExit"),
    "cancelled": (
        grpc.StatusCode.INTERNAL,
        "CANCELLED_ERROR",
        "asyncio.exceptions.CancelledError",
    ),
}


@pytest.mark.parametrize("method", ["Fail", "FailAsync"])
@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_an_exception_is_told_by_name_and_its_text_is_logged(
    server: Running, pb: Any, method: str, kind: str
) -> None:
    code, reason, exception = EXCEPTIONS[kind]
    failure = server.failure(method, pb.TextRequest(text=kind))
    assert failure.code() == code
    info = detail(failure, ErrorInfo)
    assert (info.reason, info.domain) == (reason, "probe.v1.ProbeService")
    assert info.metadata["exception"] == exception
    assert "secret" not in str(failure)
    assert b"secret" not in rpc_status.from_call(failure).SerializeToString()
    assert detail(failure, DebugInfo) is None
    log = server.log.read_text()
    entry = log[log.index(info.metadata["correlation_id"]) :]
    assert "the secret text" in entry
    assert 'probe.py", line' in entry


def test_a_stop_iteration_does_not_hang_the_call(server: Running, pb: Any) -> None:
    assert server.failure("Fail", pb.TextRequest(text="stop")).code() == grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("method", ["Fail", "FailAsync"])
def test_debug_tells_text_and_traceback(debug_server: Running, pb: Any, method: str) -> None:
    failure = debug_server.failure(method, pb.TextRequest(text="zero"))
    assert failure.details() == f"{method} raised ZeroDivisionError: the secret text"
    debug = detail(failure, DebugInfo)
    assert debug.detail == "ZeroDivisionError: the secret text"
    assert any("in fail" in entry for entry in debug.stack_entries)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("none", "result: Input should be an instance of Order, got NoneType"),
        ("attribute", "result.items[0].sku: Input should be a valid string, got NoneType"),
        (
            "range",
            "result.number: Input should be less than or equal to 9223372036854775807, got int",
        ),
        ("surrogate", "unable to parse raw data as a unicode string, got str"),
        ("cycle", "result.parent: Recursion error - cyclic reference detected, got Order"),
        ("deep", "result: nested deeper than 100 levels"),
    ],
)
def test_a_result_that_does_not_fit_is_refused_with_its_path(
    server: Running, pb: Any, kind: str, problem: str
) -> None:
    failure = server.failure("Wrong", pb.TextRequest(text=kind))
    assert failure.code() == grpc.StatusCode.INTERNAL
    details = failure.details()
    assert details
    assert details.startswith("The result of Wrong does not fit its annotation: result")
    assert problem in details
    info = detail(failure, ErrorInfo)
    assert info.reason == "RESULT_MISMATCH"
    assert info.metadata["correlation_id"] in server.log.read_text()


def test_a_failure_of_a_converter_is_internal_whatever_its_type(server: Running, pb: Any) -> None:
    failure = server.failure("Broken", pb.TextRequest(text="a"))
    assert failure.code() == grpc.StatusCode.INTERNAL
    assert detail(failure, ErrorInfo).reason == "RUNTIME_ERROR"
    assert "KeyError: 'a'" in server.log.read_text()


def test_ten_megabytes_pass_both_ways(server: Running, pb: Any) -> None:
    text = "ö" * 5_000_000
    assert server.call("Text", pb.TextRequest(text=text)).result == text


def test_a_function_without_a_result_answers(server: Running, pb: Any) -> None:
    assert server.call("Wait", pb.SecondsRequest(seconds=0.0)) == pb.NoneResponse()


def cancelled(server: Running, pb: Any) -> int:
    return int(server.call("CountCancelled", pb.NothingRequest()).result)


def test_a_cancelled_call_cancels_its_function(server: Running, pb: Any) -> None:
    before = cancelled(server, pb)
    with server.channel() as channel:
        future = stub(channel, "Wait").future(pb.SecondsRequest(seconds=60.0))
        server.until("CountRunning", 1)
        assert cancelled(server, pb) == before
        future.cancel()
        server.until("CountCancelled", before + 1)


def test_a_deadline_cancels_the_function(server: Running, pb: Any) -> None:
    before = cancelled(server, pb)
    failure = server.failure("Wait", pb.SecondsRequest(seconds=60.0), timeout=1)
    assert failure.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    server.until("CountCancelled", before + 1)


def test_sync_functions_run_in_a_bounded_pool_of_threads(server: Running, pb: Any) -> None:
    with server.channel() as channel, ThreadPoolExecutor(20) as clients:
        block = stub(channel, "Block")
        request = pb.SecondsRequest(seconds=0.4)
        answers = list(clients.map(lambda _: block(request, timeout=20).result, range(12)))
    assert max(answers) == 4


def test_async_functions_answer_while_all_threads_are_busy(server: Running, pb: Any) -> None:
    with server.channel() as channel:
        block = stub(channel, "Block")
        busy = [block.future(pb.SecondsRequest(seconds=3.0), timeout=20) for _ in range(4)]
        # Which is counted, and told, by async functions.
        server.until("CountRunning", 4)
        for future in busy:
            future.result()


@pytest.mark.parametrize("service", ["", "probe.v1.ProbeService"])
def test_health_is_serving(server: Running, service: str) -> None:
    with server.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        response = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=20)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_describes_the_service(server: Running, version: str) -> None:
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="probe.v1.ProbeService"),
    ]

    with server.channel() as channel:
        ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        services, files = ask(iter(requests), timeout=20)
    names = [service.name for service in services.list_services_response.service]
    assert "probe.v1.ProbeService" in names
    (file,) = files.file_descriptor_response.file_descriptor_proto
    assert FileDescriptorProto.FromString(file).package == "probe.v1"
