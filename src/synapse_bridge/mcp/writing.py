"""Messages to JSON, by the contract: the way back of ``reading``."""

from __future__ import annotations

from typing import Any

from synapse_bridge.contract.model import Contract, Enum, Literally, Message, Required, Union
from synapse_bridge.contract.types import (
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    unrooted,
)
from synapse_bridge.contract.wire import Entry, Slot, Wrapped, element, inside, slot
from synapse_bridge.mcp.reading import At, key_text
from synapse_bridge.mcp.scalars import SCALARS, Unfit
from synapse_bridge.mcp.unions import Unions


class Writer:
    """Writes messages of one contract as what JSON has for them.

    Raises :class:`Unfit`, with the place, for a value that JSON does not have.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._unions = Unions(contract)

    def write(self, name: str, message: Any, *at: str | int) -> dict[str, Any]:
        """A message of that name in the contract."""
        return self._message(self._contract.message(name), message, at)

    def _message(self, known: Message, message: Any, at: At) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for field in known.fields:
            shape = slot(field.type, field.default)
            if shape.label != "optional" or message.HasField(field.proto):
                value = getattr(message, field.proto)
                written[field.name] = self._slot(field.type, shape, value, (*at, field.name))
            elif isinstance(unrooted(field.type), Nullable) and field.default in _NONE_IF_ABSENT:
                written[field.name] = None
        if known.extra is not None:
            shape = slot(known.extra.type, known.extra.default)
            value = getattr(message, known.extra.proto)
            if shape.label != "optional" or message.HasField(known.extra.proto):
                written |= self._slot(known.extra.type, shape, value, at)
        return written

    def _slot(self, type_: Type, shape: Slot, value: Any, at: At) -> Any:
        one = shape.element
        if isinstance(one, Wrapped) and one.inner == unrooted(type_):
            return self._element(type_, value, at)
        return self._open(type_, value, at)

    def _open(self, type_: Type, value: Any, at: At) -> Any:
        """What is there, and needs no wrapper."""
        match unrooted(type_):
            case Nullable(inner):
                return self._element(inner, value, at)
            case ListOf(item) | SetOf(item):
                return [self._element(item, one, (*at, n)) for n, one in enumerate(value)]
            case MapOf(key, item) as map_:
                written = {}
                if slot(map_, Required()).label == "map":
                    entries = [(one, value[one]) for one in value]
                else:
                    entries = [(entry.key, entry.value) for entry in value]
                for one, held in entries:
                    text = self._key(key, one, at)
                    if text in written:
                        raise Unfit(f"Two keys are {text!r} in JSON", "", *at)
                    written[text] = self._element(item, held, (*at, text))
                return written
            case other:
                return self._element(other, value, at)

    def _key(self, type_: Type, value: Any, at: At) -> str:
        return key_text(self._element(type_, value, at))

    def _element(self, type_: Type, value: Any, at: At) -> Any:
        match element(type_):
            case Wrapped() as wrapped:
                ((name, shape),) = inside(wrapped)
                if shape.label == "optional" and not value.HasField(name):
                    return None
                return self._open(wrapped.inner, getattr(value, name), at)
            case Custom(inner=inner):
                return self._element(inner, value, at)
            case TupleOf(items) as several:
                return [
                    None
                    if shape.label == "optional" and not value.HasField(name)
                    else self._slot(type_, shape, getattr(value, name), (*at, index))
                    for index, (type_, (name, shape)) in enumerate(
                        zip(items, inside(several), strict=True)
                    )
                ]
            case MessageRef(name):
                return self._message(self._contract.message(name), value, at)
            case EnumRef(name):
                return _enum(self._contract.enum(name), value)
            case UnionRef(name):
                return self._union(self._contract.union(name), value, at)
            case Scalar(kind):
                try:
                    return SCALARS[kind].write(value)
                except Unfit as error:
                    raise Unfit(str(error), error.rule, *at, *error.at) from None
            case Entry():
                raise AssertionError("an entry is part of a map")

    def _union(self, union: Union, value: Any, at: At) -> Any:
        """The member that is there; a model with what tells it apart from others."""
        sent = value.WhichOneof("value")
        member = next(one for one in union.members if one.proto == sent)
        written = self._element(member.type, getattr(value, sent), at)
        told = self._unions.tags(union)
        if told is None or not isinstance(written, dict):
            return written
        if told.key in written and (
            member.name in told.members or written[told.key] in told.members
        ):
            raise Unfit(
                f"Its own `{told.key}` would be taken for the one that names a model", "", *at
            )
        return {told.key: member.name, **written} if member.name in told.members else written


_NONE_IF_ABSENT = (Required(), Literally(None))


def _enum(enum: Enum, number: int) -> Any:
    return next(member.value for member in enum.members if member.number == number)
