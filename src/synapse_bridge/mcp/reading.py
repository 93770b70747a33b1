"""JSON to the fields of messages, by the contract.

What is made is what protobuf's constructors take; the shapes are those of ``contract.wire``. Only
what the wire itself could not say is judged here: whether values are of their types, whether any is
missing or too many, and which member of a union a value is. Everything else is left to the
validator of the arguments, as for every other client.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString, TypeAlias

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from synapse_bridge.contract.model import Contract, Enum, Message, Required, Union
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
from synapse_bridge.mcp.scalars import MAX_DEPTH, SCALARS, Unfit
from synapse_bridge.mcp.unions import Unions

At: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class _Found:
    """What came out while a value was read.

    ``loose``: something in it is of a kind that JSON writes as another one, so that a member of a
    union for which it is exact goes first. ``fields``: how many fields the outermost message has.
    """

    errors: list[InitErrorDetails] = field(default_factory=list)
    loose: bool = False
    fields: int = 0

    def refuse(self, at: At, rule: LiteralString, reason: str) -> None:
        error = PydanticCustomError(rule, "{reason}", {"reason": reason})
        self.errors.append(InitErrorDetails(type=error, loc=at, input=None))

    def raise_errors(self) -> None:
        if self.errors:
            raise ValidationError.from_exception_data("Arguments", self.errors, hide_input=True)


class Reader:
    """Reads JSON (as Python's parsers give it) for one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._unions = Unions(contract)

    def read(self, message: str, value: Any) -> dict[str, Any]:
        """The fields of a message, by their names in it.

        Raises pydantic's ``ValidationError`` with all that is wrong.
        """
        found = _Found()
        made = self._message(self._contract.message(message), value, (), found)
        found.raise_errors()
        return made

    def field(self, message: str, name: str, value: Any) -> dict[str, Any]:
        """One field alone, as :meth:`read` does it; paths begin in the field."""
        found = _Found()
        fields = self._contract.message(message).fields
        one = next(field for field in fields if field.name == name)
        made = self._slot(one.type, slot(one.type, one.default), value, (), found)
        found.raise_errors()
        return {one.proto: made}

    def _message(self, message: Message, value: Any, at: At, found: _Found) -> dict[str, Any]:
        if not isinstance(value, dict):
            found.refuse(at, "object_type", "Input should be an object")
            return {}
        if len(at) > MAX_DEPTH:
            told = f"Input should be nested in at most {MAX_DEPTH} levels"
            found.refuse(at, "depth", told)
            return {}
        fields = {one.name: one for one in message.fields}
        made: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, given in value.items():
            here = (*at, name)
            if name not in fields:
                if message.extra is None:
                    found.refuse(here, "extra_forbidden", "Extra inputs are not permitted")
                extra[name] = given
            elif fields[name].computed:
                found.refuse(here, "computed", "It is computed of the others: leave it away")
            else:
                one = fields[name]
                shape = slot(one.type, one.default)
                made[one.proto] = self._slot(one.type, shape, given, here, found)
        for name, one in fields.items():
            if isinstance(one.default, Required) and name not in value and not one.computed:
                found.refuse((*at, name), "missing", "Field required")
        if message.extra is not None and extra:
            shape = slot(message.extra.type, message.extra.default)
            made[message.extra.proto] = self._slot(message.extra.type, shape, extra, at, found)
        found.fields = len(value)  # after those of the messages inside
        return made

    def _slot(self, type_: Type, shape: Slot, value: Any, at: At, found: _Found) -> Any:
        one = shape.element
        if isinstance(one, Wrapped) and one.inner == unrooted(type_):
            return self._element(type_, value, at, found)
        return self._open(type_, value, at, found)

    def _open(self, type_: Type, value: Any, at: At, found: _Found) -> Any:
        """The value where it needs no wrapper."""
        match unrooted(type_):
            case Nullable(inner):
                return None if value is None else self._element(inner, value, at, found)
            case ListOf(item):
                return self._items(item, value, at, found)
            case SetOf(item):
                found.loose = True
                return self._items(item, value, at, found)
            case MapOf() as map_:
                return self._map(map_, value, at, found)
            case other:
                return self._element(other, value, at, found)

    def _items(self, item: Type, value: Any, at: At, found: _Found) -> list[Any]:
        if not isinstance(value, list):
            found.refuse(at, "list_type", "Input should be an array")
            return []
        return [self._element(item, one, (*at, n), found) for n, one in enumerate(value)]

    def _map(self, map_: MapOf, value: Any, at: At, found: _Found) -> Any:
        if not isinstance(value, dict):
            found.refuse(at, "dict_type", "Input should be an object")
            return []
        pairs = []
        for key, one in value.items():
            here = (*at, key)
            try:
                read = self._key(map_.key, key, here, found)
            except Unfit as error:
                found.refuse(here, error.rule, f"The key: {error}")
                continue
            pairs.append((read, self._element(map_.value, one, here, found)))
        if slot(map_, Required()).label == "map":
            return dict(pairs)
        return [{"key": key, "value": one} for key, one in pairs]

    def _key(self, type_: Type, text: str, at: At, found: _Found) -> Any:
        """A key, which JSON has as a text, whatever its type."""
        match unrooted(type_):
            case Custom(inner=inner):
                return self._key(inner, text, at, found)
            case EnumRef(name):
                by_text = {key_text(one.value): one for one in self._contract.enum(name).members}
                if text not in by_text:
                    raise Unfit(_one_of(by_text), "enum")
                return by_text[text].number
            case Scalar(kind):
                return SCALARS[kind].read(key_value(kind, text))
        raise AssertionError("a tool with it was refused")

    def _element(self, type_: Type, value: Any, at: At, found: _Found) -> Any:
        """One value where there is no room for presence or repetition."""
        match element(type_):
            case Wrapped() as wrapped:
                ((name, _),) = inside(wrapped)
                return {name: self._open(wrapped.inner, value, at, found)}
            case Custom(inner=inner):
                found.loose = True  # its class is made of it
                return self._element(inner, value, at, found)
            case TupleOf() as several:
                return self._tuple(several, value, at, found)
            case MessageRef(name):
                return self._message(self._contract.message(name), value, at, found)
            case EnumRef(name):
                return self._enum(self._contract.enum(name), value, at, found)
            case UnionRef(name):
                return self._union(self._contract.union(name), value, at, found)
            case Scalar(kind):
                scalar = SCALARS[kind]
                found.loose |= not scalar.native or _is_another_number(kind, value)
                try:
                    return scalar.read(value)
                except Unfit as error:
                    found.refuse((*at, *error.at), error.rule, str(error))
                    return None
            case Entry():
                raise AssertionError("an entry is part of a map")

    def _tuple(self, several: TupleOf, value: Any, at: At, found: _Found) -> dict[str, Any]:
        found.loose = True
        count = len(several.items)
        if not isinstance(value, list) or len(value) != count:
            found.refuse(at, "tuple_type", f"Input should be an array of {count} items")
            return {}
        triples = zip(several.items, inside(several), value, strict=True)
        return {
            name: self._slot(type_, shape, one, (*at, index), found)
            for index, (type_, (name, shape), one) in enumerate(triples)
        }

    def _enum(self, enum: Enum, value: Any, at: At, found: _Found) -> int | None:
        found.loose |= enum.role == "enum"
        for member in enum.members:
            if _is(value, member.value):
                return member.number
        rule = "enum" if enum.role == "enum" else "literal_error"
        found.refuse(at, rule, _one_of([member.value for member in enum.members]))
        return None

    # Unions

    def _union(self, union: Union, value: Any, at: At, found: _Found) -> dict[str, Any]:
        """The member that a value is, as pydantic's smart mode has it: one that it fits; of
        several, the one with most of its fields, then one that needs no other reading, then the
        first. A discriminator decides alone, and so does the key that tells models apart."""
        if union.discriminator is not None:
            return self._discriminated(union, union.discriminator, value, at, found)
        told = self._unions.tags(union)
        if told is not None and isinstance(value, dict) and told.key in value:
            tagged = told.members.get(_text(value[told.key]))
            if tagged is not None:
                rest = {name: one for name, one in value.items() if name != told.key}
                return {tagged.proto: self._element(tagged.type, rest, at, found)}
        fitting = []
        failed = []
        for index, member in enumerate(union.members):
            own = _Found()
            made = {member.proto: self._element(member.type, value, at, own)}
            if own.errors:
                failed.append((member.type, own))
            else:
                fitting.append(((-own.fields, own.loose, index), made, own))
        if fitting:
            _, made, own = min(fitting, key=lambda one: one[0])
            found.loose |= own.loose
            return made
        near = [own for type_, own in failed if self._is_near(type_, value)]
        if len(near) == 1:
            found.errors += near[0].errors
        else:
            names = ", ".join(member.name for member in union.members)
            by = f", which `{told.key}` names" if told is not None else ""
            found.refuse(at, "union", f"Input should fit one of {names}{by}")
        return {}

    def _discriminated(
        self, union: Union, name: str, value: Any, at: At, found: _Found
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            found.refuse(at, "object_type", "Input should be an object")
            return {}
        tags: list[Any] = []
        for member in union.members:
            own = self._tags(member.type, name)
            if name in value and any(_is(value[name], tag) for tag in own):
                return {member.proto: self._element(member.type, value, at, found)}
            tags += own
        rule = "union_tag_invalid" if name in value else "union_tag_not_found"
        found.refuse((*at, name), rule, _one_of(tags))
        return {}

    def _tags(self, type_: Type, discriminator: str) -> list[Any]:
        """The values of a member's discriminator."""
        match unrooted(type_):
            case MessageRef(name):
                fields = self._contract.message(name).fields
                ref = next(unrooted(f.type) for f in fields if f.name == discriminator)
                if isinstance(ref, Nullable):
                    ref = unrooted(ref.inner)
                assert isinstance(ref, EnumRef)
                return [member.value for member in self._contract.enum(ref.name).members]
            case UnionRef(name):
                members = self._contract.union(name).members
                return [tag for one in members for tag in self._tags(one.type, discriminator)]
        raise AssertionError("only messages have a discriminator")

    def _is_near(self, type_: Type, value: Any) -> bool:
        """Whether a value was perhaps meant to be of a type that it does not fit."""
        match unrooted(type_):
            case MessageRef() | MapOf():
                return isinstance(value, dict)
            case ListOf() | SetOf() | TupleOf():
                return isinstance(value, list)
            case Custom(inner=inner):
                return self._is_near(inner, value)
            case Scalar(kind):
                if kind == "bool":
                    return isinstance(value, bool)
                if kind in ("int64", "uint64", "bigint", "double"):
                    return isinstance(value, int | float) and not isinstance(value, bool)
                return isinstance(value, str)
            case _:
                return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def key_text(value: Any) -> str:
    """A JSON scalar as the key of an object."""
    return value if isinstance(value, str) else json.dumps(value)


def key_value(kind: str, text: str) -> Any:
    """What the key of an object would be as a value of its own."""
    if kind not in ("bool", "int64", "uint64", "bigint"):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if (
        isinstance(value, float) or key_text(value) != text
    ):  # `01` would be another key than `1`, and the same
        raise Unfit("It should be true or false" if kind == "bool" else "It should be an integer")
    return value


def _is(value: Any, member: Any) -> bool:
    """Whether JSON's value is a member's: 1 and 1.0 are one number there, and true is none."""
    return value == member and isinstance(value, bool) is isinstance(member, bool)


def _is_another_number(kind: str, value: Any) -> bool:
    """Whether JSON has an integer for a double, or the other way round."""
    return isinstance(value, int if kind == "double" else float)


def _one_of(values: Mapping[Any, Any] | list[Any]) -> str:
    *first, last = (json.dumps(value, ensure_ascii=False) for value in values)
    return f"Input should be {', '.join(first)} or {last}" if first else f"Input should be {last}"
