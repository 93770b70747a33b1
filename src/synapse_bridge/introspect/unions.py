"""Unions: ``A | B`` and aliases that name themselves.

A union's members are its alternatives, in the order of declaration, with nested unions opened.
Alternatives that are the same on the wire are one member: ``str`` takes in the strings of a
``Literal`` beside it, which is how open enums are written, and all ``Literal``s are one.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pydantic

from synapse_bridge import hints
from synapse_bridge.contract import names
from synapse_bridge.contract.model import Message, Union, UnionMember
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import (
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    bare,
    unrooted,
)
from synapse_bridge.introspect.catalogue import Catalogue, LiteralValue
from synapse_bridge.introspect.context import Context, Read
from synapse_bridge.introspect.customs import class_of
from synapse_bridge.introspect.literals import is_literal, literal_of, literal_values
from synapse_bridge.introspect.refusal import Unsupported
from synapse_bridge.signs import ANY_OF_THEM, OTHER, WHOLE, list_of, signs_of_class

_PLAIN = {str: "string", bool: "bool", int: "int64", bytes: "bytes"}
"""The scalar that takes in literals of a type."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a union is called: after an alias of its module, or after its place."""

    module: str
    local: str
    role: Literal["alias", "place"]


@dataclass
class _Member:
    """A member in the making."""

    type: Type
    positions: list[hints.Path]


def read_union(
    annotation: Any, name: Name | None, metadata: Iterable[Any], context: Context, read: Read
) -> Type:
    """The type of a union that has this name, if it has one; ``metadata`` is what stands beside it.

    It is no union in the contract where only one member is left.
    """
    found = hints.alternatives(annotation, metadata)
    if name is not None and name.role == "alias":
        # What has no name of its own inside is called after the alias, wherever that stands.
        context = replace(context, module=name.module, path=name.local)
    literals, others = _sorted(found.members)
    inside = context.under(annotation)
    if any(len(one.path) > 1 for one in found.members):
        context = replace(context, ordered=context.ordered and inside.ordered)
    members, nullable = _members(others, inside, read)
    if literals:
        values, with_none = _literal_values(literals)
        nullable |= with_none
        _add_literals(members, values, context)
    nullable |= found.nullable
    if nullable + sum(isinstance(unrooted(one.type), Nullable) for one in members) > 1:
        raise Unsupported(
            "`None` is a value of a RootModel in it, and also an alternative",
            "let only one of the two be `None`",
        )
    if context.ordered:
        members.sort(key=lambda member: member.positions[0])
    else:
        members.sort(key=lambda member: fill(member.type, "label", lambda one: one.name))
    if not members:
        raise Unsupported("only None fits it", "leave it out")
    if len(members) == 1:
        return _nullable(members[0].type) if nullable else members[0].type
    name = name or _alias(annotation, context)
    ref = _named(members, name or Name(context.module, context.free_name(), "place"), context)
    return Nullable(ref) if nullable else ref


def _nullable(type_: Type) -> Type:
    return type_ if isinstance(type_, Nullable) or type_ == Scalar("any") else Nullable(type_)


_Literals = list[tuple[hints.Path, Any]]


def _sorted(found: Sequence[hints.Alternative]) -> tuple[_Literals, list[hints.Alternative]]:
    literals, others = [], []
    for one in found:
        inner, _ = hints.peel(one.annotation)
        if is_literal(inner):
            literals.append((one.path, inner))
        else:
            others.append(one)
    return literals, others


def _members(
    found: Sequence[hints.Alternative], context: Context, read: Read
) -> tuple[list[_Member], bool]:
    """One member for all alternatives of one shape; constraints stay where they agree."""
    members: dict[Type, _Member] = {}
    nullable = False
    for one in found:
        if hints.peel(one.annotation)[0] is pydantic.BaseModel:
            # Beside others it may stand for models without fields; what has some is refused.
            type_: Type = context.catalogue.message(pydantic.BaseModel)
        else:
            type_ = read(one.annotation, context.inside(_part(one.annotation)))
            _check_root(type_)
        if isinstance(type_, Nullable):
            type_, nullable = type_.inner, True
        known = members.setdefault(bare(type_), _Member(type_, []))
        known.positions.append(one.path)
        if known.type != type_:
            known.type = bare(type_)
    return list(members.values()), nullable


def _check_root(type_: Type) -> None:
    """Refuse a ``RootModel`` whose arguments the server could not tell values by."""
    plain = "pydantic.root_model.RootModel["  # it holds what its argument is
    if isinstance(type_, RootOf) and "[" in type_.name and not type_.name.startswith(plain):
        local = type_.name.removeprefix(f"{type_.module}.")
        raise Unsupported(
            f"`{local}` is a generic RootModel in a union",
            "give it a class of its own: `class Item(Wrapper[int]): pass`",
        )


def _part(annotation: Any) -> str:
    """What the types inside an alternative are called after, where they have no name."""
    match hints.container(hints.peel(annotation)[0]):
        case hints.ListHint():
            return "list"
        case hints.SetHint():
            return "set"
        case hints.MapHint():
            return "dict"
        case _:
            return "tuple"


def _literal_values(literals: _Literals) -> tuple[list[tuple[hints.Path, LiteralValue]], bool]:
    values: dict[tuple[type, LiteralValue], tuple[hints.Path, LiteralValue]] = {}
    nullable = False
    for path, annotation in literals:
        own, with_none = literal_values(annotation)
        nullable |= with_none
        for value in own:
            values.setdefault((type(value), value), (path, value))
    return list(values.values()), nullable


def _add_literals(
    members: list[_Member], values: list[tuple[hints.Path, LiteralValue]], context: Context
) -> None:
    scalars = {m.type.kind: m for m in members if isinstance(m.type, Scalar)}
    rest = []
    for path, value in values:
        taken_in = scalars.get(_PLAIN.get(type(value), ""))  # type: ignore[call-overload] # any str
        if taken_in is None:
            rest.append((path, value))
            continue
        taken_in.type = bare(taken_in.type)
        if path not in taken_in.positions:
            taken_in.positions = sorted([*taken_in.positions, path])
    if rest:
        inner = context.inside("literal") if members else context
        ref = literal_of((value for _, value in rest), inner.free_name(), context)
        members.append(_Member(ref, sorted({path for path, _ in rest})))


def _alias(annotation: Any, context: Context) -> Name | None:
    """The name that a union has in its module."""
    ours = _arguments(annotation)
    for name, value in context.catalogue.aliases(context.namespace):
        if hints.is_union(value) and _arguments(value) == ours:
            return Name(context.module, name, "alias")
    if not context.ordered:
        for name, value in context.catalogue.aliases(context.namespace):
            if hints.is_union(value) and value == annotation:
                return Name(context.module, name, "alias")
    return None


def _arguments(union: Any) -> list[Any]:
    return [argument for argument in typing.get_args(union) if argument is not type(None)]


def _named(members: Sequence[_Member], name: Name, context: Context) -> UnionRef:
    """A reference to the union of these members, which the catalogue has from now on."""
    full = f"{name.module}.{name.local}"
    tagged = _tagged(members, context)
    if not context.ordered:
        tagged = _signed(tagged, context)
    union = Union(full, "", "", tagged, None, name.role, "", name.module)
    return context.catalogue.union(union, name.local, context.place)


def _tagged(members: Sequence[_Member], context: Context) -> tuple[UnionMember, ...]:
    taken: set[str] = set()
    tagged = []
    for number, member in enumerate(members, 1):
        base = name = _tag(member.type, context)
        count = 1
        while names.elixir_field(name) in taken:
            count += 1
            name = f"{base}_{count}"
        # A field of that name would hide the type in protobuf's stubs.
        named = isinstance(member.type, MessageRef | EnumRef | RootOf | Custom)
        proto = names.proto_field(name if named else f"{base}_value{name[len(base) :]}")
        taken.add(names.elixir_field(name))
        positions = tuple(member.positions)
        elixir = names.elixir_field(name)
        tagged.append(UnionMember(name, number, member.type, proto, elixir, "", positions))
    return tuple(tagged)


def _signed(members: Sequence[UnionMember], context: Context) -> tuple[UnionMember, ...]:
    """The members without the places where Python has them: a sign tells each."""
    found = [_signs(member.type, context) for member in members]
    signed = []
    for index, member in enumerate(members):
        sign = ANY_OF_THEM
        if len(member.positions) < 2:
            sign = _own_sign(index, members, found)
        if isinstance(member.type, Custom) and member.type.via == "schema":
            sign = f"{WHOLE}{sign}"
        signed.append(replace(member, positions=(), sign=sign))
    return tuple(signed)


def _own_sign(index: int, members: Sequence[UnionMember], signs: Sequence[Sequence[str]]) -> str:
    """The first sign of a member that no other has."""
    sharing: int | None = None
    for sign in signs[index]:
        others = (i for i, theirs in enumerate(signs) if i != index and sign in theirs)
        sharing = next(others, None)
        if sharing is None:
            return sign
    first, second = sorted((index, sharing or 0))
    raise Unsupported(
        f"its alternatives `{members[first].name}` and `{members[second].name}` are told apart by "
        "their order only, and Python takes `List[A | B]` and `List[B | A]` for one type",
        'give the union a name, `Item = TypeAliasType("Item", A | B)`, and hold that',
    )


def _signs(type_: Type, context: Context) -> list[str]:
    """What tells values of a type from those of others, see :mod:`synapse_bridge.signs`."""
    if isinstance(type_, Custom):
        # The schema of a class that is mapped may be of any kind.
        return sorted(signs_of_class(class_of(type_))) if type_.via == "schema" else [OTHER]
    sign = _sign(type_, context)
    if isinstance(type_, ListOf) and sign == "list":
        item = bare(type_.item.inner if isinstance(type_.item, Nullable) else type_.item)
        if type_.python == "list" and not isinstance(item, UnionRef | RootOf | Custom):
            return ["list", list_of(_sign(item, context))]
    return [sign]


def _sign(type_: Type, context: Context) -> str:
    match type_:
        case Scalar(kind):
            return _SIGNS.get(kind, OTHER)
        case ListOf(python=python):
            return _SIGNS.get(python, OTHER)
        case SetOf():
            return "set"
        case TupleOf():
            return "tuple"
        case MapOf(python="dict" | "Mapping"):
            return "dict"
        case EnumRef(name) if context.catalogue.enums[name].role == "literal":
            return "literal"
        case MessageRef(name) | EnumRef(name) | RootOf(name=name):
            return name.partition("[")[0]
    return OTHER


_SIGNS = {
    **{kind: kind for kind in ("bool", "bytes", "decimal", "uuid", "url", "date", "time")},
    **{
        "int64": "int",
        "uint64": "int",
        "bigint": "int",
        "double": "float",
        "timedelta": "timedelta",
    },
    **{"string": "str", "email": "str", "datetime": "datetime", "naive_datetime": "datetime"},
    **{"list": "list", "Iterable": "list", "deque": "list", "tuple": "tuple"},
}

_TAGS = {
    "int64": "int",
    "uint64": "int",
    "bigint": "int",
    "double": "float",
    "string": "str",
    "secret_string": "secret_str",
    "naive_datetime": "datetime",
}


def _tag(type_: Type, context: Context) -> str:
    match type_:
        case Scalar(kind):
            return _TAGS.get(kind, kind)
        case ListOf():
            return "list"
        case SetOf():
            return "set"
        case TupleOf():
            return "tuple"
        case MapOf():
            return "dict"
        case EnumRef(name) if context.catalogue.enums[name].role == "literal":
            return "literal"
        case MessageRef(name) | EnumRef(name):
            local = context.catalogue.local[name][1]
            return names.underscore(names.message(local.rpartition(".")[2]))
        case RootOf(name=name, module=module) | Custom(name=name, module=module):
            local, _, _ = name.removeprefix(f"{module}.").partition("[")
            return names.underscore(names.message(local.rpartition(".")[2]))
        case Nullable() | UnionRef():
            raise AssertionError(f"no member of a union: {type_}")


# What tells members apart


def find_discriminators(catalogue: Catalogue) -> None:
    """Note the field whose literal tells the members of a union apart, once all are read."""
    for name, union in catalogue.unions.items():
        refs = [member.type for member in union.members]
        messages = [
            catalogue.messages[ref.name]
            for ref in refs
            if isinstance(ref, MessageRef) and ref.name in catalogue.messages
        ]
        if len(messages) == len(refs) > 1:
            field = _discriminator(messages, catalogue)
            catalogue.unions[name] = replace(union, discriminator=field)


def _discriminator(messages: Sequence[Message], catalogue: Catalogue) -> str | None:
    """A field that all have, each with literals that no other has."""
    for candidate in messages[0].fields:
        found = [_literals(message, candidate.name, catalogue) for message in messages]
        together = [value for values in found for value in values]
        if all(found) and len(set(together)) == len(together):
            return candidate.name
    return None


def _literals(message: Message, name: str, catalogue: Catalogue) -> list[object]:
    for field in message.fields:
        if field.name == name and isinstance(field.type, EnumRef):
            enum = catalogue.enums[field.type.name]
            return [member.value for member in enum.members] if enum.role == "literal" else []
    return []


# Aliases that name themselves


class Recursion:
    """Finds out whether an alias or a ``RootModel`` is part of what it stands for.

    Then it is a union, if of one member only, because unions can name each other.
    """

    def __init__(self, name: Name, value: Any) -> None:
        self.name = name
        self.found = False
        self._ref = UnionRef(f"{name.module}.{name.local}")
        self._nullable = hints.alternatives(value).nullable

    def ref(self) -> Type:
        """What stands for it inside itself."""
        self.found = True
        return Nullable(self._ref) if self._nullable else self._ref

    def close(self, type_: Type, context: Context) -> Type:
        """The type of it, once what it stands for is read."""
        inner = type_.inner if isinstance(type_, Nullable) else type_
        if not self.found or inner == self._ref:
            return type_
        _named([_Member(inner, [()])], self.name, context)
        return Nullable(self._ref) if isinstance(type_, Nullable) else self._ref
