"""Failures become statuses that say what a client may know."""

from __future__ import annotations

import logging
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from pydantic import TypeAdapter
from pydantic_core import ValidationError

from synapse_bridge.serve.failure import (
    Crossing,
    Failures,
    InvalidArguments,
    ResultMismatch,
    room,
)

QUIET = Failures("shop.v1.ShopService", "c0ffee", debug=False)
DEBUG = Failures("shop.v1.ShopService", "c0ffee", debug=True)


def invalid(annotation: Any, value: object) -> InvalidArguments:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        found = InvalidArguments()
        found.__cause__ = error
        return found
    raise AssertionError("valid")


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def details(status: Status) -> dict[str, object]:
    found: dict[str, object] = {}
    for detail in status.details:
        for kind in (BadRequest, ErrorInfo, DebugInfo):
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


def test_violations_have_path_text_and_rule() -> None:
    status = QUIET.status("Quote", invalid(dict[str, int], {"age": "x", "odd key": None}))
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    bad = details(status)["BadRequest"]
    assert isinstance(bad, BadRequest)
    assert [(v.field, v.reason) for v in bad.field_violations] == [
        ("age", "INT_PARSING"),
        ('["odd key"]', "INT_TYPE"),
    ]
    assert bad.field_violations[1].description == "Input should be a valid integer"
    assert status.message.endswith('; ["odd key"]: Input should be a valid integer')
    info = details(status)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert info.reason == "VALIDATION_ERROR"
    assert info.domain == "shop.v1.ShopService"
    assert dict(info.metadata) == {
        "exception": "pydantic_core._pydantic_core.ValidationError",
        "contract": "c0ffee",
    }


@pytest.mark.parametrize("text", ["x", "é", "🐍"])
def test_details_fit_a_trailer_and_say_what_was_cut(text: str) -> None:
    status = QUIET.status("Quote", invalid(list[dict[str, int]], [{text * 100: None}] * 500))
    wire = len(status.SerializeToString()) * 4 / 3 + len(status.message.encode()) * 3
    assert wire < 8 * 1024
    found = details(status)
    assert isinstance(found["BadRequest"], BadRequest)
    assert 1 <= len(found["BadRequest"].field_violations) < 500
    assert isinstance(found["ErrorInfo"], ErrorInfo)
    assert found["ErrorInfo"].metadata["violations"] == "500"
    assert " more" in status.message


@pytest.mark.parametrize(
    ("largest", "least", "most"),
    [
        (None, 4_000, 4_000),  # nothing was said
        (8_192, 4_000, 4_000),
        (16_384, 4_000, 4_000),  # grpcio's, which refuses some that are half as large
        (20_000, 4_000, 12_000),
        (65_536, 30_000, 40_000),
        (2**32 - 1, 30_000, 40_000),  # no limit, and yet no megabytes
    ],
)
def test_the_room_for_details_is_what_the_client_surely_takes(
    largest: int | None, least: int, most: int
) -> None:
    assert least <= room(largest) <= most
    if largest is not None and largest > 16_384:
        assert room(largest) * 4 / 3 + 4_000 <= largest * 3 / 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("secret"), grpc.StatusCode.INTERNAL),
        (ValueError("secret"), grpc.StatusCode.INVALID_ARGUMENT),
        (SystemExit("secret"), grpc.StatusCode.INTERNAL),
        (KeyError("secret"), grpc.StatusCode.NOT_FOUND),
        (IndexError("secret"), grpc.StatusCode.NOT_FOUND),
        (FileNotFoundError("secret"), grpc.StatusCode.NOT_FOUND),
        (PermissionError("secret"), grpc.StatusCode.PERMISSION_DENIED),
        (TimeoutError("secret"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (NotImplementedError("secret"), grpc.StatusCode.UNIMPLEMENTED),
        (OSError("secret"), grpc.StatusCode.INTERNAL),
    ],
)
def test_an_exception_has_the_code_of_its_nearest_base_and_keeps_its_text(
    error: BaseException, code: grpc.StatusCode
) -> None:
    status = QUIET.status("Quote", raised(error))
    assert status.code == code.value[0]
    assert b"secret" not in status.SerializeToString()
    info = details(status)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert info.metadata["exception"] == f"builtins.{type(error).__name__}"


def test_a_log_entry_is_found_by_what_the_client_got(caplog: pytest.LogCaptureFixture) -> None:
    status = QUIET.status("Quote", raised(ZeroDivisionError("the secret")))
    info = details(status)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    correlation = info.metadata["correlation_id"]
    assert correlation in status.message
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        f"shop.v1.ShopService/Quote raised builtins.ZeroDivisionError [{correlation}]"
    )
    assert "the secret" in caplog.text


def test_debug_tells_text_and_traceback() -> None:
    status = DEBUG.status("Quote", raised(ZeroDivisionError("the secret")))
    assert "the secret" in status.message
    debug = details(status)["DebugInfo"]
    assert isinstance(debug, DebugInfo)
    assert debug.detail == "ZeroDivisionError: the secret"
    assert any("in raised" in entry for entry in debug.stack_entries)


def test_a_long_path_fits_a_trailer_too() -> None:
    status = QUIET.status("Quote", invalid(dict[str, int], {"é" * 1_000_000: "x", "b": "y"}))
    assert len(status.SerializeToString()) < 4096
    assert status.message.endswith("; and 1 more")
    bad = details(status)["BadRequest"]
    assert isinstance(bad, BadRequest)
    assert [v.field[:3] for v in bad.field_violations] == ['["é', "b"]


def test_debug_details_fit_a_trailer_too() -> None:
    status = DEBUG.status("Quote", raised(ZeroDivisionError("é" * 100_000)))
    wire = len(status.SerializeToString()) * 4 / 3 + len(status.message.encode()) * 3
    assert wire < 8 * 1024


def test_reasons_are_in_upper_snake() -> None:
    class HTTPStatusError(Exception):
        pass

    info = details(QUIET.status("Quote", raised(HTTPStatusError())))["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert info.reason == "HTTP_STATUS_ERROR"


def test_an_exception_that_cannot_be_printed_can_be_told() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert "Broken" in DEBUG.status("Quote", raised(Broken())).message
    assert "Broken" in QUIET.status("Quote", raised(Broken())).message


def test_a_text_that_is_no_unicode_can_be_told() -> None:
    assert "\\ud800" in DEBUG.status("Quote", raised(ValueError("\ud800"))).message


def test_a_mismatch_is_told_with_its_path_and_types_and_without_the_value() -> None:
    try:
        TypeAdapter(dict[str, int]).validate_python({"total": "the secret"}, strict=True)
    except ValidationError as error:
        status = QUIET.status("Quote", ResultMismatch.of(error))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert status.message == (
        "The result of Quote does not fit its annotation: "
        "result.total: Input should be a valid integer, got str"
    )
    info = details(status)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert info.reason == "RESULT_MISMATCH"


def test_a_group_of_one_exception_counts_as_that() -> None:
    class Gone(LookupError):
        pass

    def crossing(error: BaseException) -> Crossing | None:
        return Crossing(grpc.StatusCode.ABORTED, str(error), [RetryInfo()]) if declared else None

    for declared, code in ((False, grpc.StatusCode.NOT_FOUND), (True, grpc.StatusCode.ABORTED)):
        group = ExceptionGroup("tasks", [ExceptionGroup("more", [Gone("it is gone")])])
        status = QUIET.status("Find", raised(group), crossing)
        assert status.code == code.value[0]
        info = details(status)["ErrorInfo"]
        assert isinstance(info, ErrorInfo)
        assert info.reason == "GONE"
        assert ("it is gone" in status.message) == declared
    several = QUIET.status("Find", raised(ExceptionGroup("tasks", [Gone(), Gone()])))
    assert several.code == grpc.StatusCode.INTERNAL.value[0]
