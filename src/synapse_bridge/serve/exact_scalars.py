"""Exact checks of values without inner structure: what :mod:`.exact` asks for each annotation.

A check refuses what its kind of value cannot carry without loss. Its message says what it wants
and never what it got, which may be a secret.
"""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import pathlib
import re
import typing
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import annotated_types as at
import pydantic
from pydantic.fields import FieldInfo
from pydantic.networks import _BaseMultiHostUrl, _BaseUrl
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    ValidationError,
)
from pydantic_core import core_schema as cs

from synapse_bridge.markers import BigInt
from synapse_bridge.serve.wellknown import LONGEST

_INT64_MAX = 2**63 - 1
Uint64 = typing.Annotated[int, at.Ge(0), at.Le(2**64 - 1)]
"""What generated servers call an integer whose bounds make it one without a sign."""
_DEEPEST = 100
"""How deep values of type ``Any`` may nest."""


def scalar(
    annotation: Any, metadata: Iterable[Any], *, naive_is_utc: bool = False
) -> CoreSchema | None:
    """The check of an annotation without ``Annotated``; ``None`` where it is no scalar."""
    if annotation is int:
        return _integer(list(_expand(metadata)))
    if annotation in _DATETIMES:
        return _checked("datetime", _instant(naive_is_utc))
    if (known := _SCHEMAS.get(_hashable(annotation))) is not None:
        return known
    origin = typing.get_origin(annotation) or annotation
    if not isinstance(origin, type):
        return None
    if issubclass(origin, re.Pattern):
        return _checked("regex", _regex)
    if issubclass(origin, pathlib.PurePath):
        return _checked("path", _path(origin))
    if issubclass(origin, (_BaseUrl, _BaseMultiHostUrl)):
        return _instance("url", origin)
    return _checked("tensor", _tensor(annotation)) if is_tensor(origin) else None


def _hashable(annotation: Any) -> Any:
    try:
        hash(annotation)
    except TypeError:
        return None
    return annotation


def _checked(kind: str, check: Callable[[Any], str | None]) -> CoreSchema:
    """A schema of a check that gives what is wrong, or ``None``."""

    def validate(value: Any) -> Any:
        if (wrong := check(value)) is not None:
            raise PydanticCustomError(f"exact_{kind}", "{wrong}", {"wrong": wrong})
        return value

    return cs.no_info_plain_validator_function(validate)


def _instance(kind: str, *classes: type, but: tuple[type, ...] = ()) -> CoreSchema:
    """A schema of instances of some classes; ``but`` are subclasses that are something else."""
    names = " or ".join(cls.__name__ for cls in classes)

    def check(value: Any) -> str | None:
        if isinstance(value, classes) and not isinstance(value, but):
            return None
        return f"Input should be an instance of {names}"

    return _checked(kind, check)


# Numbers


def _exact_float(value: Any) -> float:
    """An int is a float to Python's type checkers, and to us where no digit is lost."""
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            converted = float(value)
        except OverflowError:
            converted = float("inf")
        if converted == value:
            return converted
    raise ValueError("no float")


def _integer(metadata: list[Any]) -> CoreSchema:
    """int64; uint64 where a bound says that values go beyond it; any size for a ``BigInt``."""
    if any(item is BigInt or isinstance(item, BigInt) for item in metadata):
        return _BIGINT
    return _UINT64 if any(_goes_beyond_int64(item) for item in metadata) else _INT64


def _goes_beyond_int64(constraint: Any) -> bool:
    match constraint:
        case at.Le(int(bound)):
            return bound > _INT64_MAX
        case at.Lt(int(bound)):
            return bound > _INT64_MAX + 1
    return False


def _expand(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        match item:
            case FieldInfo(metadata=inner):
                yield from _expand(inner)
            case at.GroupedMetadata():
                yield from _expand(item)
            case _:
                yield item


def _decimal(value: Any) -> str | None:
    if not isinstance(value, decimal.Decimal):
        return "Input should be a Decimal"
    if value.is_snan() or (value.is_nan() and str(value) != "NaN"):
        return "Input should be no NaN with a sign, a signal or a payload"
    return None


# Time


def _instant(naive_is_utc: bool) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not isinstance(value, dt.datetime):
            return "Input should be a datetime"
        if value.utcoffset() is None:
            return None if naive_is_utc and value.tzinfo is None else _NAIVE
        try:
            value.astimezone(dt.UTC)
        except OverflowError:
            return "Input should be in the years 1 to 9999 of UTC"
        return None

    return check


_NAIVE = "Input should have a time zone (or the module `naive_datetime: utc` in the configuration)"


def _naive_datetime(value: Any) -> str | None:
    if not isinstance(value, dt.datetime) or value.tzinfo is not None:
        return "Input should be a datetime without a time zone"
    return None


def _date(value: Any) -> str | None:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        return "Input should be a date, and no datetime"
    return None


def _time(value: Any) -> str | None:
    if not isinstance(value, dt.time) or value.tzinfo is not None:
        return "Input should be a time without a time zone"
    return None


def _timedelta(value: Any) -> str | None:
    if not isinstance(value, dt.timedelta) or abs(value) > LONGEST:
        return "Input should be a timedelta within ±315,576,000,000 seconds"
    return None


# Text


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


_SURROGATE = "Input should be text without lone surrogates"


def _path(cls: type) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not isinstance(value, cls):
            return f"Input should be an instance of {cls.__name__}"
        return None if _is_unicode(str(value)) else _SURROGATE

    return check


def _regex(value: Any) -> str | None:
    if not isinstance(value, re.Pattern) or not isinstance(value.pattern, str):
        return "Input should be a regular expression for text"
    # Flags that the text itself sets, as `(?i)` does, come back with it.
    if value.flags != re.compile(value.pattern).flags:
        return "Input should be a regular expression without flags: write them in it, as in `(?i)`"
    return None if _is_unicode(value.pattern) else _SURROGATE


def _secret(kind: type) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not hasattr(value, "get_secret_value"):
            return "Input should be a secret"
        secret = value.get_secret_value()
        if type(secret) is not kind:
            return f"Input should be a secret {kind.__name__}"
        return _SURROGATE if isinstance(secret, str) and not _is_unicode(secret) else None

    return check


# Any value


def _any(value: Any) -> Any:
    errors = list(_problems(value, (), frozenset()))
    if errors:
        raise ValidationError.from_exception_data("Any", errors, hide_input=True)
    return value


def _problems(
    value: Any, at: tuple[int | str, ...], within: frozenset[int]
) -> Iterator[InitErrorDetails]:
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is str:
        if not _is_unicode(value):
            yield _problem(_SURROGATE, value, at)
    elif kind is not list and kind is not dict:
        yield _problem(_NOTHING_ELSE, value, at)
    elif id(value) in within:
        yield _problem("Input should not hold itself", value, at)
    elif len(at) >= _DEEPEST:
        yield _problem(f"Input should not nest deeper than {_DEEPEST} levels", value, at)
    else:
        within |= {id(value)}
        entries: Iterable[tuple[Any, Any]] = enumerate(value) if kind is list else value.items()
        for key, item in entries:
            if kind is dict and type(key) is not str:
                yield _problem("Input should have keys of text", key, (*at, str(key), "[key]"))
            elif kind is dict and not _is_unicode(key):
                yield _problem(_SURROGATE, key, (*at, key, "[key]"))
            else:
                yield from _problems(item, (*at, key), within)


def _problem(wrong: str, value: Any, at: tuple[int | str, ...]) -> InitErrorDetails:
    error = PydanticCustomError("exact_any", "{wrong}", {"wrong": wrong})
    return InitErrorDetails(type=error, loc=at, input=value)


_PLAIN = frozenset({type(None), bool, int, float, bytes})
_NOTHING_ELSE = (
    "Input should be None, bool, int, float, str, bytes, or a list or dict of these, and no "
    "subclass"
)
ANY = cs.no_info_plain_validator_function(_any)


# Arrays of numbers


def _tensor(annotation: Any) -> Callable[[Any], str | None]:
    """The check of an array, with the type of its numbers where the annotation says one."""
    _, dtype = typing.get_args(annotation) or (Any, Any)
    (wanted,) = typing.get_args(dtype) or (Any,)
    is_told = wanted is not Any and isinstance(wanted, type)

    def check(value: Any) -> str | None:
        import numpy  # pants: no-infer-dep

        if not isinstance(value, numpy.ndarray):
            return "Input should be a numpy.ndarray"
        if isinstance(value, numpy.ma.MaskedArray):
            return "Input should be no masked array, whose mask would be lost"
        kind, size = value.dtype.kind, value.dtype.itemsize
        if kind not in "biufc" or size > (16 if kind == "c" else 8):
            return "Input should be an array of bools, integers, floats or complex numbers"
        if is_told and not issubclass(value.dtype.type, wanted):
            return f"Input should be an array of {wanted.__name__}"
        return None

    return check


def is_tensor(annotation: Any) -> bool:
    """Whether this is ``numpy.ndarray``, which is told without importing numpy."""
    origin = typing.get_origin(annotation) or annotation
    return (
        isinstance(origin, type) and origin.__name__ == "ndarray" and origin.__module__ == "numpy"
    )


_BIGINT = cs.int_schema(strict=True)
_UINT64 = cs.int_schema(strict=True, ge=0, le=2**64 - 1)
_INT64 = cs.int_schema(strict=True, ge=-(2**63), le=_INT64_MAX)
_BOOL = cs.bool_schema(strict=True)
_FLOAT = cs.union_schema(
    [cs.is_instance_schema(float), cs.no_info_plain_validator_function(_exact_float)],
    mode="left_to_right",
    custom_error_type="exact_float",
    custom_error_message="Input should be a float, or an int that a float holds exactly",
)
# Any constraint makes pydantic-core look at the text, and so at lone surrogates.
_STRING = cs.str_schema(strict=True, min_length=0)
_BYTES = cs.bytes_schema(strict=True)
_IPV4, _IPV6 = ipaddress.IPv4Address, ipaddress.IPv6Address
_IPV4_INTERFACE, _IPV6_INTERFACE = ipaddress.IPv4Interface, ipaddress.IPv6Interface
_INTERFACES = (_IPV4_INTERFACE, _IPV6_INTERFACE)
_IPV4_NETWORK, _IPV6_NETWORK = ipaddress.IPv4Network, ipaddress.IPv6Network
_DATETIMES = (
    dt.datetime,
    pydantic.AwareDatetime,
    pydantic.PastDatetime,
    pydantic.FutureDatetime,
)
_SCHEMAS: Mapping[Any, CoreSchema] = {
    bool: _BOOL,
    float: _FLOAT,
    str: _STRING,
    bytes: _BYTES,
    bytearray: _instance("bytes", bytearray),
    None: cs.none_schema(),
    type(None): cs.none_schema(),
    Any: ANY,
    object: ANY,
    pydantic.JsonValue: ANY,
    decimal.Decimal: _checked("decimal", _decimal),
    pydantic.NaiveDatetime: _checked("naive_datetime", _naive_datetime),
    dt.date: _checked("date", _date),
    pydantic.PastDate: _checked("date", _date),
    pydantic.FutureDate: _checked("date", _date),
    dt.time: _checked("time", _time),
    dt.timedelta: _checked("timedelta", _timedelta),
    uuid.UUID: _instance("uuid", uuid.UUID),
    pydantic.EmailStr: _STRING,
    _IPV4: _instance("ipv4", _IPV4, but=_INTERFACES),
    _IPV6: _instance("ipv6", _IPV6, but=_INTERFACES),
    pydantic.IPvAnyAddress: _instance("ip", _IPV4, _IPV6, but=_INTERFACES),
    _IPV4_INTERFACE: _instance("ipv4_interface", _IPV4_INTERFACE),
    _IPV6_INTERFACE: _instance("ipv6_interface", _IPV6_INTERFACE),
    pydantic.IPvAnyInterface: _instance("ip_interface", _IPV4_INTERFACE, _IPV6_INTERFACE),
    _IPV4_NETWORK: _instance("ipv4_network", _IPV4_NETWORK),
    _IPV6_NETWORK: _instance("ipv6_network", _IPV6_NETWORK),
    pydantic.IPvAnyNetwork: _instance("ip_network", _IPV4_NETWORK, _IPV6_NETWORK),
    pydantic.SecretStr: _checked("secret", _secret(str)),
    pydantic.SecretBytes: _checked("secret", _secret(bytes)),
    pydantic.Secret[str]: _checked("secret", _secret(str)),
    pydantic.Secret[bytes]: _checked("secret", _secret(bytes)),
}
EXACT: Sequence[tuple[CoreSchema, type]] = (
    (_BOOL, bool),
    (_INT64, int),
    (_UINT64, int),
    (_BIGINT, int),
    (_FLOAT, float),
    (_STRING, str),
    (_BYTES, bytes),
)
"""Checks that pass values of exactly that type, but for what protobuf refuses as well: an integer
of more than 64 bits, and text with lone surrogates."""
