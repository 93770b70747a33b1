"""The messages of a contract that no class stands behind: found, named, and put in order.

They are wrappers, tuples, and entries of maps. Where they are needed is decided in
:mod:`synapse_bridge.contract.wire`. One serves every value of the same shape, whatever its
constraints: those are checked beside the wire, not by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from synapse_bridge.contract import (
    Contract,
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Named,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.wire import (
    Element,
    Entry,
    Generated,
    Slot,
    Wrapped,
    carried,
    element,
    inside,
    slot,
)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A generated message: its name in the proto package, and its fields as they are numbered."""

    shape: Generated
    proto: str
    fields: tuple[tuple[str, Slot], ...]


class Wrappers:
    """All that the messages and unions of a contract need, sorted by name."""

    def __init__(self, contract: Contract) -> None:
        self._protos = {item.name: item.proto for item in contract.named()}
        taken = set(self._protos.values())
        needed: dict[Generated, str] = {}
        for shape in _needed(contract):
            if shape not in needed:
                name = self._label(shape)
                while name in taken:
                    name += "Wrapper"
                taken.add(name)
                needed[shape] = name
        self._wrappers = {
            shape: Wrapper(shape, name, inside(shape))
            for shape, name in sorted(needed.items(), key=lambda item: item[1])
        }

    def __iter__(self) -> Iterator[Wrapper]:
        return iter(self._wrappers.values())

    def __getitem__(self, shape: Generated) -> Wrapper:
        return self._wrappers[_bare(shape)]

    def _label(self, shape: Generated) -> str:
        match shape:
            case Wrapped(inner) | (TupleOf() as inner):
                return fill(inner, "label", self._name)
            case Entry(inner):
                return f"{fill(inner, 'label', self._name)}Entry"

    def _name(self, one: Named) -> str:
        return self._protos[one.name]


def _needed(contract: Contract) -> Iterator[Generated]:
    for message in contract.messages:
        for field in (*message.fields, *([message.extra] if message.extra else ())):
            yield from _within(slot(field.type, field.default).element)
    for union in contract.unions:
        for member in union.members:
            yield from _within(element(member.type))


def _within(one: Element) -> Iterator[Generated]:
    one = carried(one)
    if isinstance(one, Generated):
        yield _bare(one)
        for _, inner in inside(one):
            yield from _within(inner.element)


def _bare(shape: Generated) -> Generated:
    match shape:
        case TupleOf(items):
            return TupleOf(tuple(map(_without_constraints, items)))
        case Wrapped(inner):
            bare = _without_constraints(inner)
            assert isinstance(bare, ListOf | SetOf | MapOf | Nullable)
            return Wrapped(bare)
        case Entry(inner):
            bare = _without_constraints(inner)
            assert isinstance(bare, MapOf)
            return Entry(bare)


def _without_constraints(type_: Type) -> Type:
    """The type as far as it shows in the name and the fields of a message."""
    match type_:
        case ListOf(item):
            return ListOf(_without_constraints(item))
        case SetOf(item):
            return SetOf(_without_constraints(item))
        case TupleOf(items):
            return TupleOf(tuple(map(_without_constraints, items)))
        case MapOf(key, value):
            return MapOf(_without_constraints(key), _without_constraints(value))
        case Nullable(inner):
            return Nullable(_without_constraints(inner))
        case RootOf(inner=inner) | Custom(inner=inner):
            return _without_constraints(inner)
        case Scalar(kind):
            return Scalar(kind)
        case MessageRef() | EnumRef() | UnionRef():
            return type_
