"""Results without inner structure: what is carried exactly passes, and what is not is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import pathlib
import re
import uuid
from typing import Annotated, Any

import numpy
import pydantic
import pytest
from numpy.typing import NDArray
from pydantic_core import ValidationError

from synapse_bridge import BigInt
from synapse_bridge.serve.exact import checker

UTC = dt.UTC
EAST = dt.timezone(dt.timedelta(hours=1))
V4, V6 = ipaddress.IPv4Address("1.2.3.4"), ipaddress.IPv6Address("::1")


class Text(str): ...


class Zoneless(dt.tzinfo):
    def utcoffset(self, when: dt.datetime | None) -> None:
        return None

    dst = tzname = utcoffset


FITTING: list[tuple[Any, Any]] = [
    (Annotated[int, BigInt], 10**1000),
    (Annotated[int, BigInt()], -(2**64)),
    (Annotated[int, pydantic.Field(ge=0), BigInt] | None, None),
    (decimal.Decimal, decimal.Decimal("-0.10")),
    (decimal.Decimal, decimal.Decimal("NaN")),
    (decimal.Decimal, decimal.Decimal("-Infinity")),
    (dt.datetime, dt.datetime(1, 1, 1, tzinfo=UTC)),
    (dt.datetime, dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    (pydantic.AwareDatetime, dt.datetime(2024, 5, 1, tzinfo=EAST)),
    (pydantic.PastDatetime, dt.datetime(2024, 5, 1, tzinfo=EAST)),
    (pydantic.NaiveDatetime, dt.datetime(2024, 5, 1)),
    (dt.date, dt.date(1, 1, 1)),
    (pydantic.FutureDate, dt.date(9999, 12, 31)),
    (dt.time, dt.time(23, 59, 59, 999999)),
    (dt.timedelta, -dt.timedelta(seconds=315_576_000_000)),
    (uuid.UUID, uuid.UUID(int=0)),
    (pydantic.UUID4, uuid.UUID(int=0)),  # its version is pydantic's matter
    (pathlib.Path, pathlib.Path("a")),
    (pathlib.PurePath, pathlib.PurePosixPath("a")),
    (pydantic.HttpUrl, pydantic.HttpUrl("http://a.example")),
    (pydantic.AnyUrl, pydantic.HttpUrl("http://a.example")),
    (pydantic.PostgresDsn, pydantic.PostgresDsn("postgres://a/b")),
    (pydantic.EmailStr, "a@example.org"),
    (re.Pattern[str], re.compile("(?i)a")),
    (re.Pattern, re.compile("a")),
    (ipaddress.IPv4Address, V4),
    (pydantic.IPvAnyAddress, V6),
    (pydantic.IPvAnyInterface, ipaddress.IPv6Interface("::1/64")),
    (ipaddress.IPv4Interface, ipaddress.IPv4Interface("1.2.3.4/8")),
    (pydantic.IPvAnyNetwork, ipaddress.IPv4Network("10.0.0.0/8")),
    (pydantic.SecretStr, pydantic.SecretStr("é")),
    (pydantic.SecretBytes, pydantic.SecretBytes(b"\xff")),
    (pydantic.Secret[str], pydantic.Secret[str]("a")),
    (bytearray, bytearray(b"a")),
    (pydantic.JsonValue, {"a": [1, None]}),
    (object, [b"", {"a": 1.5}]),
    (dict, {"a": 1}),
    (list, [1, "a"]),
    (numpy.ndarray, numpy.zeros((2, 3))),
    (NDArray[numpy.float32], numpy.zeros((2, 3), "float32")),
    (numpy.ndarray, numpy.zeros(3, ">i4")),
]
MISFITS: list[tuple[Any, Any, str]] = [
    (Annotated[int, BigInt], True, "integer"),
    (int, 2**63, "less than"),
    (decimal.Decimal, 1.5, "Decimal"),
    (decimal.Decimal, decimal.Decimal("sNaN"), "NaN"),
    (decimal.Decimal, decimal.Decimal("NaN123"), "NaN"),
    (decimal.Decimal, decimal.Decimal("-NaN"), "NaN"),
    (dt.datetime, dt.datetime(2024, 5, 1), "time zone"),
    (dt.datetime, dt.datetime(2024, 5, 1, tzinfo=Zoneless()), "time zone"),
    (dt.datetime, dt.datetime(1, 1, 1, tzinfo=EAST), "years 1 to 9999"),
    (dt.datetime, dt.date(2024, 5, 1), "datetime"),
    (pydantic.NaiveDatetime, dt.datetime(2024, 5, 1, tzinfo=UTC), "without a time zone"),
    (dt.date, dt.datetime(2024, 5, 1), "no datetime"),
    (dt.time, dt.time(1, tzinfo=UTC), "without a time zone"),
    (dt.timedelta, dt.timedelta(seconds=315_576_000_000, microseconds=1), "seconds"),
    (uuid.UUID, str(uuid.UUID(int=0)), "UUID"),
    (pathlib.Path, "a", "Path"),
    (pathlib.Path, pathlib.PureWindowsPath("a"), "Path"),
    (pathlib.Path, pathlib.Path("\udcff"), "surrogates"),
    (pydantic.HttpUrl, pydantic.AnyUrl("http://a.example"), "HttpUrl"),
    (pydantic.HttpUrl, "http://a.example", "HttpUrl"),
    (pydantic.EmailStr, "\ud800@example.org", "unicode"),
    (re.Pattern[str], re.compile("a", re.IGNORECASE), "flags"),
    (re.Pattern, re.compile(b"a"), "text"),
    (re.Pattern[str], "a", "regular expression"),
    (ipaddress.IPv4Address, ipaddress.IPv4Interface("1.2.3.4/8"), "IPv4Address"),
    (ipaddress.IPv4Address, V6, "IPv4Address"),
    (pydantic.IPvAnyAddress, ipaddress.IPv6Interface("::1/64"), "IPv4Address or IPv6Address"),
    (pydantic.SecretStr, "a", "secret"),
    (pydantic.SecretStr, pydantic.SecretStr("\ud800"), "surrogates"),
    (bytearray, b"a", "bytearray"),
    (numpy.ndarray, [1], "ndarray"),
    (numpy.ndarray, numpy.array(["a"]), "array of"),
    (numpy.ndarray, numpy.array([object()]), "array of"),
    (numpy.ndarray, numpy.array(["2024-05-01"], "datetime64[D]"), "array of"),
    (numpy.ndarray, numpy.ma.masked_array([1], [True]), "mask"),
    (NDArray[numpy.float32], numpy.zeros(3), "float32"),
]


@pytest.mark.parametrize(("annotation", "value"), FITTING)
def test_what_is_carried_passes(annotation: Any, value: Any) -> None:
    checker(annotation).check(value)
    checker(list[annotation]).check([value])


@pytest.mark.parametrize(("annotation", "value", "words"), MISFITS)
def test_what_would_change_is_refused(annotation: Any, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        checker(dict[str, annotation]).check({"a": value})
    (error,) = caught.value.errors()
    assert error["loc"] == ("a",)
    assert words in error["msg"]


CYCLE: list[Any] = []
CYCLE.append({"a": CYCLE})
DEEP: list[Any] = []
for _ in range(150):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "location", "words"),
    [
        ([1, (2,)], (1,), "list or dict"),
        ({"a": {"b": {1, 2}}}, ("a", "b"), "list or dict"),
        ([Text("a")], (0,), "no subclass"),
        ([True, numpy.float64(1)], (1,), "no subclass"),
        ({1: 2}, ("1", "[key]"), "keys of text"),
        ({Text("a"): 2}, ("a", "[key]"), "keys of text"),
        ({"\ud800": 2}, ("\ufffd" * 3, "[key]"), "surrogates"),
        (["\ud800"], (0,), "surrogates"),
        (CYCLE, (0, "a"), "hold itself"),
        (DEEP, (0,) * 100, "nest deeper"),
        (decimal.Decimal(1), (), "no subclass"),
    ],
)
@pytest.mark.parametrize("annotation", [Any, object, pydantic.JsonValue])
def test_any_value_is_one_that_both_sides_have(
    annotation: Any, value: Any, location: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        checker(annotation).check(value)
    (error,) = caught.value.errors()
    assert (error["loc"], words in error["msg"]) == (location, True)


def test_the_same_value_twice_is_no_cycle() -> None:
    shared = {"a": [1]}
    checker(Any).check([shared, shared, {"b": shared}])
