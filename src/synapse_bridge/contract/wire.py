"""The shape of a value on the wire: the one place that decides it.

proto3 has no presence on ``repeated`` and ``map`` fields and no null inside them. Where ``None``,
"absent" and "empty" would meet, a wrapper message with one field keeps them apart. The rules:

======================================  =====================================================
type and default                        field
======================================  =====================================================
scalar, enum, message, union, tuple     ``optional T``
``Nullable(T)``, required or None       ``optional T``; absent is None
``Nullable(container)``, same           ``optional`` wrapper; absent is None
``Nullable(T)``, any other default      ``optional OptionalT``; absent is Python's default
container, required or plainly empty    ``repeated`` / ``map``; absent is empty
container, any other default            ``optional`` wrapper; absent is Python's default
any type, item of a stream              as inside a list; absent is no item
======================================  =====================================================

Containers are lists, sets and maps. Inside one, a container or a nullable is wrapped. "Plainly
empty" is a default of ``[]`` or ``{}`` (or the ``list``, ``set`` and ``dict`` factories) that the
type's own constraints allow.

A tuple is a message of its own, whose fields follow the same rules as required ones. A map whose
keys protobuf's maps cannot have is a ``repeated`` message with ``key`` and ``value``: to the byte
what protobuf makes of a map. A ``RootModel`` is what it holds. A custom type is one value, whatever
it travels as.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from synapse_bridge.contract.model import Default, Literally, Required, Streamed
from synapse_bridge.contract.types import (
    Container,
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Ref,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    unrooted,
)

MAX_DEPTH = 100
"""Messages inside messages, where protobuf's parsers stop reading."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A generated message whose one field, number 1, holds ``inner``."""

    inner: Container | Nullable


@dataclass(frozen=True, slots=True)
class Entry:
    """A generated message for one entry of ``map``: ``key`` is field 1, ``value`` field 2."""

    map: MapOf


Element: TypeAlias = Scalar | Ref | TupleOf | Custom | Wrapped | Entry
Generated: TypeAlias = TupleOf | Wrapped | Entry
"""The messages that no class of the user's stands behind."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A field's shape: ``label element name = n``, with ``key`` for a map.

    ``unique``: the elements of a set, which may not come twice.
    """

    label: Literal["optional", "repeated", "map"]
    element: Element
    key: Scalar | None = None
    unique: bool = False


def slot(type_: Type, default: Default) -> Slot:
    """The shape of a field of this type and default."""
    if isinstance(default, Streamed):
        return Slot("optional", element(type_))
    match unrooted(type_):
        case Nullable(inner) as nullable:
            if default not in (Required(), Literally(None)):
                return Slot("optional", Wrapped(nullable))
            return Slot("optional", element(inner))
        case ListOf() | SetOf() | MapOf() as container:
            if isinstance(default, Required) or _plainly_empty(container, default):
                return _open(container)
            return Slot("optional", Wrapped(container))
        case other:
            return Slot("optional", element(other))


def element(type_: Type) -> Element:
    """The shape of one value where there is no room for presence or repetition."""
    match unrooted(type_):
        case ListOf() | SetOf() | MapOf() | Nullable() as inner:
            return Wrapped(inner)
        case RootOf():
            raise AssertionError("not rooted")
        case Scalar() | TupleOf() | MessageRef() | EnumRef() | UnionRef() | Custom() as other:
            return other


def carried(one: Element) -> Element:
    """What goes over the wire in the place of a custom type; anything else is itself."""
    while isinstance(one, Custom):
        one = element(one.inner)
    return one


def inside(message: Generated) -> tuple[tuple[str, Slot], ...]:
    """The fields of a generated message, in the order of their numbers: names and shapes."""
    match message:
        case Wrapped(Nullable(inner)):
            return (("value", Slot("optional", element(inner))),)
        case Wrapped(ListOf() | SetOf() as inner):
            return (("items", _open(inner)),)
        case Wrapped(MapOf() as inner):
            return (("entries", _open(inner)),)
        case TupleOf(items):
            shapes = (slot(item, Required()) for item in items)
            return tuple((f"item_{number}", shape) for number, shape in enumerate(shapes, 1))
        case Entry(MapOf(key, value)):
            return (
                ("key", Slot("optional", element(key))),
                ("value", Slot("optional", element(value))),
            )
        case _:
            raise AssertionError(f"not generated: {message}")


def _open(type_: Container) -> Slot:
    match type_:
        case ListOf(item):
            return Slot("repeated", element(item))
        case SetOf(item):
            return Slot("repeated", element(item), unique=True)
        case MapOf(key, value):
            plain = unrooted(key)
            if isinstance(plain, Scalar) and plain.kind in KEYS:
                return Slot("map", element(value), plain)
            return Slot("repeated", Entry(type_))


KEYS = frozenset({"bool", "int64", "uint64", "string"})
"""The kinds that protobuf's maps have as keys."""


def _plainly_empty(type_: Container, default: Default) -> bool:
    return isinstance(default, Literally) and not default.value and not type_.constraints.min_length
