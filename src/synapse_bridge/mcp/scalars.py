"""Scalars as JSON has them: one row for each kind of the registry.

The texts are those of pydantic's JSON mode, but for bytes: these are base64 (RFC 4648, section 4),
as the contract's JSON Schema says, because pydantic's UTF-8 has no text for most of them. What JSON
cannot say exactly is refused: NaN and the infinities, bytes where anything may stand.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from synapse_bridge.contract.types import ScalarKind
from synapse_bridge.serve import wellknown
from synapse_bridge.serve.unreadable import Unreadable

MAX_DEPTH = 100
"""Arrays and objects inside of each other, as in protobuf's messages."""


class Unfit(ValueError):
    """A value that is none of its kind, or that JSON does not have. ``rule`` names what it breaks;
    ``at`` is where in the value."""

    def __init__(self, reason: str, rule: LiteralString = "value_error", *at: str | int) -> None:
        super().__init__(reason)
        self.rule = rule
        self.at = at


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of a kind are read from JSON into what protobuf takes, and written.

    Both raise :class:`Unfit`. ``native``: JSON itself has this kind, so that a text that could be
    a date, say, is a text in the first place.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    native: bool = False


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("Input should be true or false", "bool_type")
    return value


_EXACT = 2**53
"""Where doubles begin to leave out integers."""


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)  # `5.0` is an integer in JSON Schema, too
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit("Input should be an integer", "int_type")
    return value


def _within(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _integer(value)
        if not least <= number <= most:
            raise Unfit(f"Input should be from {least} to {most}", "int_range")
        return number

    return read


_DIGITS = 4300
"""Digits of the longest integer that JSON parsers of Python read."""


def _read_bigint(value: Any) -> str:
    return wellknown.to_digits(_integer(value))


def _write_bigint(text: str) -> int:
    if len(text) > _DIGITS:
        raise Unfit(f"An integer of more than {_DIGITS} digits is not read from JSON")
    return int(text)


def _read_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("Input should be a number", "float_type")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value and value == value:
        raise Unfit("Input should be a number that a double holds exactly", "float_exact")
    return number


def _write_double(value: float) -> float:
    if not math.isfinite(value):
        raise Unfit(f"JSON has no {value}")
    return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("Input should be a string", "string_type")
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise Unfit("Input should be a string without lone surrogates", "string_unicode")
    return value


def _same(value: Any) -> Any:
    return value


def _read_bytes(value: Any) -> bytes:
    text = _read_text(value)
    try:
        # Also the alphabet for URLs: the two have no sign in common that would mean another thing.
        return base64.b64decode(text.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("Input should be base64", "bytes_invalid_encoding") from None


_URL_SAFE = str.maketrans("-_", "+/")


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d(?:\.\d{1,6})?"
_ZONE = r"(?:[Zz]|[+-]\d\d:\d\d)"


def _moment(
    pattern: str, what: str, rule: LiteralString, parse: Callable[[str], Any]
) -> Callable[[Any], Any]:
    form = re.compile(pattern, re.ASCII)

    def read(value: Any) -> Any:
        text = _read_text(value)
        if not form.fullmatch(text):
            raise Unfit(f"Input should be {what}", rule)
        try:
            return parse(text)
        except (ValueError, OverflowError) as error:
            raise Unfit(f"Input should be {what}: {error}", rule) from None

    return read


def _timestamp(text: str) -> dict[str, int]:
    return wellknown.to_timestamp(dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC))


def _write_timestamp(message: Any) -> str:
    text: str = _known(wellknown.from_timestamp(message)).isoformat()
    return text.replace("+00:00", "Z")


_DURATION = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?",
    re.ASCII,
)


def _read_duration(value: Any) -> dict[str, int]:
    text = _read_text(value)
    found = _DURATION.fullmatch(text)
    if not found or text.endswith("P"):
        told = "Input should be an ISO 8601 duration in weeks, days, hours, minutes and seconds"
        raise Unfit(told, "time_delta_parsing")
    sign, *numbers, fraction = found.groups()
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in numbers)
    try:
        span = dt.timedelta(
            weeks=weeks,
            days=days,
            hours=hours,
            minutes=minutes,
            seconds=seconds,
            microseconds=int((fraction or "").ljust(6, "0")),
        )
    except OverflowError:
        span = dt.timedelta.max
    if span > wellknown.LONGEST:
        raise Unfit("Input should be within ±10,000 years", "time_delta_range")
    return wellknown.to_duration(-span if sign == "-" else span)


def _write_duration(message: Any) -> str:
    """As pydantic does it, but never with years: those are 365 days there, and none elsewhere."""
    span = _known(wellknown.from_duration(message))
    sign, span = ("-", -span) if span < dt.timedelta(0) else ("", span)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06}".rstrip("0") if span.microseconds else ""
    days = f"{span.days}D" if span.days else ""
    time = f"{hours}H" if hours else ""
    time += f"{minutes}M" if minutes else ""
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    return f"{sign}P{days}T{time}" if time else f"{sign}P{days or 'T0S'}"


def _known(value: Any) -> Any:
    assert not isinstance(value, Unreadable)  # the server has written it
    return value


def _read_any(value: Any) -> dict[str, Any]:
    _check_any(value, ())
    return wellknown.to_value(value)


def _check_any(value: Any, at: tuple[str | int, ...]) -> None:
    if len(at) > MAX_DEPTH:
        raise Unfit(f"Input should be nested in at most {MAX_DEPTH} levels", "depth", *at)
    match value:
        case list():
            for index, item in enumerate(value):
                _check_any(item, (*at, index))
        case dict():
            for key, item in value.items():
                _check_any(item, (*at, key))
        case str():
            try:
                _read_text(value)
            except Unfit as error:
                raise Unfit(str(error), error.rule, *at) from None


def _write_any(message: Any) -> Any:
    value = _known(wellknown.from_value(message))
    _check_written(value, ())
    return value


def _check_written(value: Any, at: tuple[str | int, ...]) -> None:
    match value:
        case bytes():
            raise Unfit("JSON has no bytes, where they could be taken for text", "", *at)
        case float() if not math.isfinite(value):
            raise Unfit(f"JSON has no {value}", "", *at)
        case int() if abs(value) >= 10**_DIGITS:
            told = f"An integer of more than {_DIGITS} digits is not read from JSON"
            raise Unfit(told, "", *at)
        case list():
            for index, item in enumerate(value):
                _check_written(item, (*at, index))
        case dict():
            for key, item in value.items():
                _check_written(item, (*at, key))


def _never(value: Any) -> Any:
    raise AssertionError("a tool with it was refused")


_TEXT = Kind(_read_text, _same)
"""A text whose form pydantic checks."""

SCALARS: Mapping[ScalarKind, Kind] = {
    "bool": Kind(_bool, _same, native=True),
    "int64": Kind(_within(-(2**63), 2**63 - 1), _same, native=True),
    "uint64": Kind(_within(0, 2**64 - 1), _same, native=True),
    "bigint": Kind(_read_bigint, _write_bigint, native=True),
    "double": Kind(_read_double, _write_double, native=True),
    "decimal": _TEXT,
    "string": Kind(_read_text, _same, native=True),
    "bytes": Kind(_read_bytes, _write_bytes),
    "bytearray": Kind(_read_bytes, _write_bytes),
    "secret_string": Kind(_read_text, _never),
    "secret_bytes": Kind(_read_bytes, _never),
    "datetime": Kind(
        _moment(
            rf"{_DATE}[Tt ]{_TIME}{_ZONE}",
            "a date and time with a zone, in at most microseconds (RFC 3339)",
            "datetime_parsing",
            _timestamp,
        ),
        _write_timestamp,
    ),
    "naive_datetime": Kind(
        _moment(
            rf"{_DATE}[Tt ]{_TIME}",
            "a date and time without a zone, in at most microseconds (ISO 8601)",
            "datetime_parsing",
            lambda text: wellknown.to_naive_datetime(dt.datetime.fromisoformat(text.upper())),
        ),
        lambda text: _known(wellknown.from_naive_datetime(text)).isoformat(),
    ),
    "date": Kind(
        _moment(
            _DATE,
            "a date, as 2024-05-01",
            "date_parsing",
            lambda text: wellknown.to_date(dt.date.fromisoformat(text)),
        ),
        lambda message: _known(wellknown.from_date(message)).isoformat(),
    ),
    "time": Kind(
        _moment(
            _TIME,
            "a time without a zone, as 12:30:00, in at most microseconds",
            "time_parsing",
            lambda text: wellknown.to_time_of_day(dt.time.fromisoformat(text)),
        ),
        lambda message: _known(wellknown.from_time_of_day(message)).isoformat(),
    ),
    "timedelta": Kind(_read_duration, _write_duration),
    "uuid": _TEXT,
    "path": _TEXT,
    "url": _TEXT,
    "email": _TEXT,
    "regex": _TEXT,
    "ipv4": _TEXT,
    "ipv6": _TEXT,
    "ip": _TEXT,
    "ipv4_interface": _TEXT,
    "ipv6_interface": _TEXT,
    "ip_interface": _TEXT,
    "ipv4_network": _TEXT,
    "ipv6_network": _TEXT,
    "ip_network": _TEXT,
    "any": Kind(_read_any, _write_any),
    "tensor": Kind(_never, _never),
}
