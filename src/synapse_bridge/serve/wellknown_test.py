"""Values survive the wire exactly, and what Python cannot hold exactly is told."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from hypothesis import example, given
from hypothesis import strategies as st

from synapse_bridge.serve import wellknown as wk
from synapse_bridge.serve.unreadable import Unreadable
from synapse_bridge.v1.types_pb2 import ListValue, ObjectValue, Tensor, Value

ZONES = st.integers(-23 * 60 + 1, 23 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
FIRST, LAST = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


def sent(kind: type[Message], fields: dict[str, Any]) -> Any:
    """The message that arrives of these fields."""
    return kind.FromString(kind(**fields).SerializeToString())


def reason(value: object) -> str:
    """Why a value could not be read."""
    assert isinstance(value, Unreadable)
    return str(value.errors[0]["type"].message())  # type: ignore[union-attr] # not a built-in one


@given(st.datetimes(timezones=st.just(dt.UTC)) | st.sampled_from([FIRST, LAST]))
@example(dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC))
def test_an_instant_comes_back_to_the_microsecond(value: dt.datetime) -> None:
    fields = wk.to_timestamp(value)
    assert fields["nanos"] in range(10**9)
    read = wk.from_timestamp(sent(Timestamp, fields))
    assert (read, read.tzinfo) == (value, dt.UTC)  # type: ignore[union-attr] # or it is not equal
    # protobuf's own conversion agrees.
    message = Timestamp()
    message.FromDatetime(value)
    assert message == Timestamp(**fields)


@given(
    st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=ZONES)
    | st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1))
)
def test_another_zone_is_the_same_instant_and_none_is_utc(value: dt.datetime) -> None:
    expected = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    assert wk.from_timestamp(sent(Timestamp, wk.to_timestamp(value))) == expected


@pytest.mark.parametrize(
    ("seconds", "nanos", "why"),
    [
        (0, 1, "microseconds"),
        (0, -1000, "nanos from 0"),
        (0, 10**9, "nanos from 0"),
        (253402300800, 0, "years 1 to 9999"),
        (-62135596801, 0, "years 1 to 9999"),
        (2**63 - 1, 0, "years 1 to 9999"),
        (-(2**63), 999999000, "years 1 to 9999"),
    ],
)
def test_an_instant_that_python_does_not_have(seconds: int, nanos: int, why: str) -> None:
    assert why in reason(wk.from_timestamp(Timestamp(seconds=seconds, nanos=nanos)))


@given(st.timedeltas(-wk.LONGEST, wk.LONGEST))
@example(wk.LONGEST)
@example(-wk.LONGEST)
@example(dt.timedelta(microseconds=-1))
@example(dt.timedelta(seconds=-1, microseconds=-1))
def test_a_span_comes_back_exactly_in_both_directions(value: dt.timedelta) -> None:
    fields = wk.to_duration(value)
    assert fields["seconds"] * fields["nanos"] >= 0
    assert wk.from_duration(sent(Duration, fields)) == value


@pytest.mark.parametrize(
    ("seconds", "nanos", "why"),
    [
        (0, 1, "microseconds"),
        (1, -1000, "sign"),
        (-1, 1000, "sign"),
        (0, 10**9, "below a second"),
        (315576000000, 1000, "within"),
        (-315576000001, 0, "within"),
        (2**63 - 1, 0, "within"),
    ],
)
def test_a_span_that_is_none(seconds: int, nanos: int, why: str) -> None:
    assert why in reason(wk.from_duration(Duration(seconds=seconds, nanos=nanos)))


@given(st.dates())
def test_a_date_comes_back(value: dt.date) -> None:
    assert wk.from_date(sent(Date, wk.to_date(value))) == value


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2024, 0, 0), (0, 1, 1), (2023, 2, 29), (10000, 1, 1), (2024, 13, 1), (-1, 1, 1), (1, 1, 32)],
)
def test_a_date_that_is_none(year: int, month: int, day: int) -> None:
    assert "years 1 to 9999" in reason(wk.from_date(Date(year=year, month=month, day=day)))


@given(st.times())
def test_a_time_comes_back(value: dt.time) -> None:
    assert wk.from_time_of_day(sent(TimeOfDay, wk.to_time_of_day(value))) == value


@pytest.mark.parametrize(
    "fields",
    [{"hours": 24}, {"seconds": 60}, {"minutes": -1}, {"nanos": 999}, {"nanos": 2 * 10**9}],
)
def test_a_time_that_is_none(fields: dict[str, int]) -> None:
    assert "TimeOfDay should be" in reason(wk.from_time_of_day(TimeOfDay(**fields)))


@given(st.datetimes())
@example(dt.datetime(1, 1, 1))
def test_a_naive_datetime_comes_back_and_stays_naive(value: dt.datetime) -> None:
    read = wk.from_naive_datetime(wk.to_naive_datetime(value))
    assert isinstance(read, dt.datetime)
    assert (read, read.tzinfo) == (value, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1714521600",
        "2024-05-01",
        "2024-05-01T12:30",
        "2024-05-01T12:30:00Z",
        "2024-05-01T12:30:00+00:00",
        "2024-05-01T12:30:00.1234567",
        "2024-02-30T00:00:00",
        "٢٠٢٤-05-01T12:30:00",
    ],
)
def test_a_naive_datetime_that_is_none(text: str) -> None:
    assert "ISO 8601" in reason(wk.from_naive_datetime(text))


@given(st.integers() | st.integers(0, 20_000).map(lambda n: -(7**n)))
@example(0)
@example(10**4096)
@example(10**4095)
@example(-(10**4300) + 1)
def test_an_integer_of_any_size_comes_back(value: int) -> None:
    text = wk.to_digits(value)
    assert wk.from_digits(text) == value
    if abs(value) < 10**4000:
        assert text == str(value)


@pytest.mark.parametrize("text", ["", "-", "+1", " 1", "1_000", "1.0", "0x1", "٣", "1\n"])
def test_digits_that_are_none(text: str) -> None:
    assert "decimal digits" in reason(wk.from_digits(text))


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


@given(VALUES)
@example([True, 1, 1.0, -0.0, math.nan, math.inf, 2**63, -(2**63), -(2**63) - 1, "", b""])
def test_any_value_comes_back_with_its_types(value: Any) -> None:
    assert exactly(wk.from_value(sent(Value, wk.to_value(value)))) == exactly(value)


def exactly(value: Any) -> Any:
    """Equal for equal values of the same types; a map on the wire has no order."""
    match value:
        case list():
            return [exactly(item) for item in value]
        case dict():
            return {key: exactly(item) for key, item in value.items()}
    return repr(value)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Value(), "hold something"),
        (Value(null_value=False), "true null_value"),
        (Value(bigint_value="1e5"), "decimal digits"),
    ],
)
def test_a_value_that_is_none(message: Value, why: str) -> None:
    assert why in reason(wk.from_value(message))
    (inner,) = wk.from_value(Value(list_value=ListValue(items=[message])))
    assert why in reason(inner)
    inner = wk.from_value(Value(object_value=ObjectValue(entries={"a": message})))["a"]
    assert why in reason(inner)


DTYPES = [
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"float{bits}" for bits in (16, 32, 64)),
    *(f"complex{bits}" for bits in (64, 128)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 4)])
def test_an_array_comes_back(dtype: str, order: str, shape: tuple[int, ...]) -> None:
    numbers = numpy.arange(math.prod(shape)).astype(dtype).reshape(shape)
    array = numbers.astype(numbers.dtype.newbyteorder(order))  # type: ignore[arg-type] # two literals
    for one in (array, array.copy(order="F"), array[..., ::-1] if shape else array):
        read = wk.from_tensor(sent(Tensor, wk.to_tensor(one)))
        assert (read.dtype.name, read.shape) == (dtype, shape)
        assert numpy.array_equal(read, one)
        assert not read.flags.writeable


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (Tensor(dtype="object", data=b""), "dtype of numbers"),
        (Tensor(dtype="float128"), "dtype of numbers"),
        (Tensor(dtype="int8", shape=[2], data=b"\0"), "as many bytes"),
        (Tensor(dtype="int16", data=b"\0"), "as many bytes"),
        (Tensor(dtype="int8", shape=[-1, -1], data=b"\0"), "negative"),
        (Tensor(dtype="int8", shape=[2**62, 4]), "as many bytes"),
        (Tensor(dtype="bool", shape=[1], data=b"\2"), "0 and 1"),
    ],
)
def test_an_array_that_is_none(tensor: Tensor, why: str) -> None:
    assert why in reason(wk.from_tensor(tensor))
