"""The wrapper messages of a contract: found, named, and put in order.

Which values are wrapped is decided in :mod:`synapse_bridge.contract.wire`. One wrapper serves every
value of the same shape, whatever its constraints: those are checked beside the wire, not by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from synapse_bridge.contract import (
    Contract,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Scalar,
    Type,
)
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.wire import Element, Slot, Wrapped, inside, slot


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A wrapper message: its name in the proto package, and its one field, number 1."""

    wrapped: Wrapped
    proto: str
    field: str
    slot: Slot


class Wrappers:
    """All wrappers that the messages of a contract need, sorted by name."""

    def __init__(self, contract: Contract) -> None:
        self._protos = {item.name: item.proto for item in contract.messages}
        self._protos |= {item.name: item.proto for item in contract.enums}
        taken = set(self._protos.values())
        needed: dict[Wrapped, str] = {}
        for wrapped in _needed(contract):
            if wrapped not in needed:
                name = self._label(wrapped.inner)
                while name in taken:
                    name += "Wrapper"
                taken.add(name)
                needed[wrapped] = name
        self._wrappers = {
            wrapped: Wrapper(wrapped, name, *inside(wrapped))
            for wrapped, name in sorted(needed.items(), key=lambda item: item[1])
        }

    def __iter__(self) -> Iterator[Wrapper]:
        return iter(self._wrappers.values())

    def __getitem__(self, wrapped: Wrapped) -> Wrapper:
        return self._wrappers[_bare(wrapped)]

    def _label(self, type_: Type) -> str:
        return fill(type_, "label", lambda one: self._protos[one.name])


def _needed(contract: Contract) -> Iterator[Wrapped]:
    for message in contract.messages:
        for field in message.fields:
            yield from _within(slot(field.type, field.default).element)


def _within(element: Element) -> Iterator[Wrapped]:
    if isinstance(element, Wrapped):
        wrapped = _bare(element)
        yield wrapped
        yield from _within(inside(wrapped)[1].element)


def _bare(wrapped: Wrapped) -> Wrapped:
    inner = _without_constraints(wrapped.inner)
    assert isinstance(inner, (ListOf, MapOf, Nullable))
    return Wrapped(inner)


def _without_constraints(type_: Type) -> Type:
    match type_:
        case ListOf(item):
            return ListOf(_without_constraints(item))
        case MapOf(key, value):
            return MapOf(Scalar(key.kind), _without_constraints(value))
        case Nullable(inner):
            return Nullable(_without_constraints(inner))
        case Scalar(kind):
            return Scalar(kind)
        case MessageRef() | EnumRef():
            return type_
