"""Values between Python and the messages that stand for them on the wire.

Each pair ``from_x``, ``to_x`` is named after the message or text on the wire. What goes to the wire
was checked before (:mod:`synapse_bridge.serve.exact`), so ``to_x`` takes it as it is. What comes
from it may be anything that a foreign client sends: ``from_x`` gives an :class:`Unreadable` for
what Python cannot hold exactly.

Messages go to protobuf as dicts of their fields, which its constructors take everywhere, also
inside of maps and lists.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay

from synapse_bridge.serve.unreadable import Unreadable

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_YEARS_1_TO_9999 = range(-62_135_596_800, 253_402_300_800)
"""The seconds of a Timestamp: https://protobuf.dev/reference/protobuf/google.protobuf."""
_DURATION_SECONDS = 315_576_000_000
LONGEST = dt.timedelta(seconds=_DURATION_SECONDS)
"""How long a Duration may be, in either direction."""


def to_timestamp(value: dt.datetime) -> dict[str, int]:
    """An instant; a naive one, where the service lets it pass, is in UTC."""
    since = (value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH
    # Days, seconds and microseconds: only days are ever negative, so nanos never are.
    return {"seconds": since.days * 86_400 + since.seconds, "nanos": since.microseconds * 1000}


def from_timestamp(message: Timestamp) -> dt.datetime | Unreadable:
    """An instant, in UTC."""
    if message.seconds not in _YEARS_1_TO_9999:
        return Unreadable("Timestamp should be in the years 1 to 9999")
    if message.nanos not in range(1_000_000_000):
        return Unreadable("Timestamp should have nanos from 0 to 999,999,999")
    if message.nanos % 1000:
        return Unreadable("Timestamp should be in whole microseconds")
    since = dt.timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    return _EPOCH + since


def to_duration(value: dt.timedelta) -> dict[str, int]:
    """A span of time; seconds and nanos never have different signs."""
    whole, rest = divmod(abs(value), _SECOND)
    sign = -1 if value < dt.timedelta(0) else 1
    return {"seconds": sign * whole, "nanos": sign * rest.microseconds * 1000}


def from_duration(message: Duration) -> dt.timedelta | Unreadable:
    """A span of time, of at most 10,000 years."""
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > _DURATION_SECONDS:
        return Unreadable("Duration should be within ±315,576,000,000 seconds")
    if abs(nanos) > 999_999_999 or seconds * nanos < 0:
        return Unreadable("Duration should have nanos below a second, of the sign of its seconds")
    if nanos % 1000:
        return Unreadable("Duration should be in whole microseconds")
    value = dt.timedelta(seconds=seconds, microseconds=nanos // 1000)
    if abs(value) > LONGEST:
        return Unreadable("Duration should be within ±315,576,000,000 seconds")
    return value


def to_date(value: dt.date) -> dict[str, int]:
    """A day of the Gregorian calendar."""
    return {"year": value.year, "month": value.month, "day": value.day}


def from_date(message: Date) -> dt.date | Unreadable:
    """A whole date; a Date without year, month or day is none."""
    try:
        return dt.date(message.year, message.month, message.day)
    except (ValueError, OverflowError) as error:
        return Unreadable(f"Date should be a day of the years 1 to 9999: {error}")


def to_time_of_day(value: dt.time) -> dict[str, int]:
    """A time without a zone."""
    return {
        "hours": value.hour,
        "minutes": value.minute,
        "seconds": value.second,
        "nanos": value.microsecond * 1000,
    }


def from_time_of_day(message: TimeOfDay) -> dt.time | Unreadable:
    """A time from 00:00 to 23:59:59.999999; Python has no leap second and no 24:00."""
    if message.nanos % 1000:
        return Unreadable("TimeOfDay should be in whole microseconds")
    try:
        return dt.time(message.hours, message.minutes, message.seconds, message.nanos // 1000)
    except (ValueError, OverflowError) as error:
        return Unreadable(f"TimeOfDay should be before 24:00: {error}")


_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)


def to_naive_datetime(value: dt.datetime) -> str:
    """ISO 8601 with six digits for microseconds."""
    return value.isoformat(timespec="microseconds")


def from_naive_datetime(text: str) -> dt.datetime | Unreadable:
    """``2024-05-01T12:30:00`` with up to six digits after a point."""
    if not _NAIVE.fullmatch(text):
        return Unreadable("Text should be an ISO 8601 date and time in microseconds without a zone")
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        return Unreadable(f"Text should be an ISO 8601 date and time: {error}")


_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)
_CHUNK = 4096
"""Digits that Python converts at once: its own limit is 4,300, for more take quadratic time."""


def to_digits(value: int) -> str:
    """An integer of any size in decimal digits."""
    return f"-{_digits(-value)}" if value < 0 else _digits(value)


def from_digits(text: str) -> int | Unreadable:
    """The integer of some decimal digits, of any number."""
    if not _DIGITS.fullmatch(text):
        return Unreadable("Text should be an integer in decimal digits")
    return -_integer(text[1:]) if text.startswith("-") else _integer(text)


def _digits(value: int) -> str:
    # A number of n bits has at most n * log10(2) + 1 digits; halves are converted by themselves.
    width = math.floor(value.bit_length() * math.log10(2)) + 1
    if width <= _CHUNK:
        return str(value)
    half = width // 2
    high, low = divmod(value, 10**half)
    return _digits(high) + _digits(low).zfill(half)


def _integer(text: str) -> int:
    if len(text) <= _CHUNK:
        return int(text)
    half = len(text) // 2
    return _integer(text[:-half]) * int(10**half) + _integer(text[-half:])


def reveal(value: Any) -> Any:
    """What a ``SecretStr`` or ``SecretBytes`` hides."""
    return value.get_secret_value()


def pattern(value: re.Pattern[str]) -> str:
    """The text of a regular expression."""
    return value.pattern


_INT64 = range(-(2**63), 2**63)


def to_value(value: Any) -> dict[str, Any]:
    """A ``synapse_bridge.v1.Value``."""
    match value:
        case None:
            return {"null_value": True}
        case bool():
            return {"bool_value": value}
        case int():
            if value in _INT64:
                return {"int64_value": value}
            return {"bigint_value": to_digits(value)}
        case float():
            return {"double_value": value}
        case str():
            return {"string_value": value}
        case bytes():
            return {"bytes_value": value}
        case list():
            return {"list_value": {"items": [to_value(item) for item in value]}}
        case dict():
            return {"object_value": {"entries": {k: to_value(v) for k, v in value.items()}}}
    raise TypeError(f"{type(value).__qualname__} is no value of the wire")


def from_value(message: Any) -> Any:
    """What a ``synapse_bridge.v1.Value`` holds; nothing at all is no value, not even ``None``."""
    match message.WhichOneof("kind"):
        case "null_value":
            return None if message.null_value else Unreadable("Value should have a true null_value")
        case "bool_value":
            return message.bool_value
        case "int64_value":
            return message.int64_value
        case "double_value":
            return message.double_value
        case "string_value":
            return message.string_value
        case "list_value":
            return [from_value(item) for item in message.list_value.items]
        case "object_value":
            entries: Mapping[str, Any] = message.object_value.entries
            return {key: from_value(item) for key, item in entries.items()}
        case "bigint_value":
            return from_digits(message.bigint_value)
        case "bytes_value":
            return message.bytes_value
    return Unreadable("Value should hold something")


def to_tensor(value: Any) -> dict[str, Any]:
    """A ``synapse_bridge.v1.Tensor`` of a ``numpy.ndarray``."""
    little = value.astype(value.dtype.newbyteorder("<"), order="C", copy=False)
    return {"dtype": value.dtype.name, "shape": list(value.shape), "data": little.tobytes()}


_DTYPE = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)")


def from_tensor(message: Any) -> Any:
    """A read-only ``numpy.ndarray`` over the bytes of a ``synapse_bridge.v1.Tensor``."""
    import numpy  # pants: no-infer-dep

    if not _DTYPE.fullmatch(message.dtype):
        return Unreadable(
            f"Tensor should have a dtype of numbers that numpy knows: {_DTYPE.pattern}"
        )
    dtype = numpy.dtype(message.dtype).newbyteorder("<")
    shape = tuple(message.shape)
    if any(length < 0 for length in shape):
        return Unreadable("Tensor should have no dimension of negative length")
    if math.prod(shape) * dtype.itemsize != len(message.data):
        return Unreadable("Tensor should have as many bytes as its shape and dtype say")
    if message.dtype == "bool" and message.data.strip(b"\0\1"):
        return Unreadable("Tensor of bools should have no bytes but 0 and 1")
    return numpy.frombuffer(message.data, dtype).reshape(shape)
