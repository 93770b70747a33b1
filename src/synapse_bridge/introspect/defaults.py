"""Defaults: which of them both sides can know."""

from __future__ import annotations

import datetime
import math
import typing
from collections.abc import Mapping
from typing import Any

import pydantic

from synapse_bridge.contract.model import Default, Dynamic, JSONValue, Literally
from synapse_bridge.contract.types import (
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    ScalarKind,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)
from synapse_bridge.contract.wire import KEYS
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.reach import qualified

_LISTS = {"list": list, "Sequence": list, "Iterable": list, "tuple": tuple}
_INTEGERS = {"int64": range(-(2**63), 2**63), "uint64": range(2**64)}


class _NotLiteral(Exception):
    """The value has no literal form, or is not of its type."""


def literal(
    type_: Type,
    value: Any,
    annotation: Any,
    catalogue: Catalogue,
    config: Mapping[str, Any] | None = None,
) -> Default:
    """``value`` as a literal, where it has one and its own type accepts it unchanged.

    Python does not validate a default that it fills in. So a default that validation would refuse
    or change must not be sent: it is :class:`Dynamic`, and left to Python.
    """
    if value is None and isinstance(type_, Nullable):
        return Literally(None)
    try:
        written = _write(type_, value, catalogue)
        adapter = pydantic.TypeAdapter(
            annotation, config=typing.cast(pydantic.ConfigDict, config or {})
        )
        accepted = adapter.validate_python(value)
    except Exception:
        # Besides our own verdict, anything that a validator of the user's raises.
        return Dynamic()
    return Literally(written) if accepted == value else Dynamic()


def _write(type_: Type, value: Any, catalogue: Catalogue) -> JSONValue:
    match type_:
        case Nullable(inner):
            return None if value is None else _write(inner, value, catalogue)
        case ListOf(item, python=kind) if type(value) is _LISTS.get(kind):
            return [_write(item, element, catalogue) for element in value]
        case MapOf(key, item) if type(value) is dict and isinstance(key, Scalar):
            return {_key(key, k): _write(item, v, catalogue) for k, v in value.items()}
        case SetOf(item) if type(value) in (set, frozenset):
            return sorted((_write(item, element, catalogue) for element in value), key=repr)
        case TupleOf(items) if type(value) is tuple and len(value) == len(items):
            pairs = zip(items, value, strict=True)
            return [_write(item, element, catalogue) for item, element in pairs]
        case EnumRef(name):
            return _member(name, value, catalogue)
        case Scalar(kind):
            return _scalar(kind, value)
        case MessageRef() | UnionRef() | RootOf():
            pass
    raise _NotLiteral


def _scalar(kind: ScalarKind, value: Any) -> JSONValue:
    if kind == "bool" and type(value) is bool:
        return value
    if kind in _INTEGERS and type(value) is int and value in _INTEGERS[kind]:
        return value
    if kind == "double" and type(value) in (int, float) and _is_exact(value):
        return float(value)
    if kind in ("string", "email") and type(value) is str and not _has_surrogate(value):
        return value
    if kind == "bigint" and type(value) is int:
        return value
    if kind == "timedelta" and type(value) is datetime.timedelta and abs(value) <= _LONGEST:
        return str(_DURATIONS.dump_python(value, mode="json"))
    if kind in _MOMENTS and type(value) is _MOMENTS[kind]:
        return _moment(kind, value)
    if kind in _TEXTS and type(value) is not str and not _has_surrogate(str(value)):
        return str(value)
    if kind == "any" and (value is None or type(value) in (bool, int, str) or value in ([], {})):
        return _plain(value)
    raise _NotLiteral


_LONGEST = datetime.timedelta(seconds=315_576_000_000)
_DURATIONS = pydantic.TypeAdapter(datetime.timedelta)
_MOMENTS: Mapping[str, type] = {
    "datetime": datetime.datetime,
    "naive_datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
}
_TEXTS = frozenset(
    {
        "uuid",
        "path",
        "ipv4",
        "ipv6",
        "ip",
        "ipv4_interface",
        "ipv6_interface",
        "ip_interface",
        "ipv4_network",
        "ipv6_network",
        "ip_network",
    }
)
"""Kinds whose defaults are objects that ``str`` writes."""


def _moment(kind: str, value: Any) -> str:
    """A point in time in ISO 8601, with microseconds; an instant in UTC."""
    if kind == "date":
        return str(value)
    # What comes from the wire is in UTC, and so would not be a default that is in another zone.
    if kind == "datetime" and value.utcoffset() == datetime.timedelta(0):
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    if kind != "datetime" and value.tzinfo is None:
        return str(value.isoformat(timespec="microseconds"))
    raise _NotLiteral


def _plain(value: Any) -> JSONValue:
    if isinstance(value, str) and _has_surrogate(value):
        raise _NotLiteral
    return typing.cast(JSONValue, value)


def _key(key: Type, value: Any) -> str:
    """A key as JSON has it: numbers as text, booleans in lower case."""
    if not isinstance(key, Scalar) or key.kind not in KEYS:
        raise _NotLiteral
    written = _scalar(key.kind, value)
    return str(written).lower() if isinstance(written, bool) else str(written)


def _member(name: str, value: Any, catalogue: Catalogue) -> str:
    enum = catalogue.enums[name]
    for member in enum.members:
        if enum.role == "enum":
            if qualified(type(value)) == name and value.name == member.name:
                return member.name
        elif member.of:
            if qualified(type(value)) == member.of and value.name == member.name:
                return member.name
        elif (type(value), value) == (type(member.value), member.value):
            return member.name
    raise _NotLiteral


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _is_exact(value: float) -> bool:
    """Whether a finite float has this very value, which may come as an int."""
    try:
        return math.isfinite(value) and float(value) == value
    except OverflowError:
        return False
