"""The shape of a value on the wire: the one place that decides it.

proto3 has no presence on ``repeated`` and ``map`` fields and no null inside them. Where ``None``,
"absent" and "empty" would meet, a wrapper message with one field keeps them apart. The rules:

======================================  =====================================================
type and default                        field
======================================  =====================================================
scalar, enum, message                   ``optional T``
``Nullable(T)``, required or None       ``optional T``; absent is None
``Nullable(list or map)``, same         ``optional`` wrapper; absent is None
``Nullable(T)``, any other default      ``optional OptionalT``; absent is Python's default
list or map, required or plainly empty  ``repeated`` / ``map``; absent is empty
list or map, any other default          ``optional`` wrapper; absent is Python's default
any type, item of a stream              as inside a list; absent is no item
======================================  =====================================================

Inside a list or a map, a list, a map or a nullable is wrapped. "Plainly empty" is a default of
``[]`` or ``{}`` (or the ``list`` and ``dict`` factories) that the type's own constraints allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from synapse_bridge.contract.model import Default, Literally, Required, Streamed
from synapse_bridge.contract.types import (
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Scalar,
    Type,
)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A generated message whose one field, number 1, holds ``inner``."""

    inner: ListOf | MapOf | Nullable


Element: TypeAlias = Scalar | EnumRef | MessageRef | Wrapped


@dataclass(frozen=True, slots=True)
class Slot:
    """A field's shape: ``label element name = n``, with ``key`` for a map."""

    label: Literal["optional", "repeated", "map"]
    element: Element
    key: Scalar | None = None


def slot(type_: Type, default: Default) -> Slot:
    """The shape of a field of this type and default."""
    if isinstance(default, Streamed):
        return Slot("optional", element(type_))
    match type_:
        case Nullable(inner):
            if default not in (Required(), Literally(None)):
                return Slot("optional", Wrapped(type_))
            return Slot("optional", element(inner))
        case ListOf() | MapOf():
            if isinstance(default, Required) or _plainly_empty(type_, default):
                return _open(type_)
            return Slot("optional", Wrapped(type_))
        case _:
            return Slot("optional", element(type_))


def element(type_: Type) -> Element:
    """The shape of one value where there is no room for presence or repetition."""
    match type_:
        case ListOf() | MapOf() | Nullable():
            return Wrapped(type_)
        case _:
            return type_


def inside(wrapped: Wrapped) -> tuple[str, Slot]:
    """The one field of a wrapper message: its name and shape."""
    match wrapped.inner:
        case ListOf():
            return "items", _open(wrapped.inner)
        case MapOf():
            return "entries", _open(wrapped.inner)
        case Nullable(inner):
            return "value", Slot("optional", element(inner))


def _open(type_: ListOf | MapOf) -> Slot:
    match type_:
        case ListOf(item):
            return Slot("repeated", element(item))
        case MapOf(key, value):
            return Slot("map", element(value), key)


def _plainly_empty(type_: ListOf | MapOf, default: Default) -> bool:
    return isinstance(default, Literally) and not default.value and not type_.constraints.min_length
