"""The messages and enums that a service turns out to need."""

from __future__ import annotations

import enum
import math
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_inspection import typing_objects

from synapse_bridge import hints
from synapse_bridge.contract import elixir_terms, names
from synapse_bridge.contract.model import Enum, EnumMember, Message, Union
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import (
    Custom,
    EnumRef,
    MessageRef,
    Named,
    RootOf,
    Type,
    UnionRef,
)
from synapse_bridge.introspect import source
from synapse_bridge.introspect.overrides import Overridden, Override
from synapse_bridge.introspect.reach import check_reachable, qualified
from synapse_bridge.introspect.refusal import Place, Refusal, Unsupported
from synapse_bridge.renamed import RenamedFrom

if TYPE_CHECKING:
    from synapse_bridge.introspect.unions import Recursion

LiteralValue = str | int | bool | bytes | enum.Enum


class Catalogue:
    """Collects while types are read: a class that is named is noted once and read later, so that
    recursive models come out by themselves.

    ``local`` splits the qualified names into module and name within it; ``places`` and ``parts``
    (of fields and parameters, by message and name) are for errors.
    ``overrides`` maps qualified names (of a class, field, parameter or result) to the annotation
    that the configuration puts in their place; ``seen`` are all such names that there were.
    ``renamed`` maps qualified names of fields and parameters to those that the code says they had.
    ``arguments`` are those of generic classes, by message; ``recursions`` the aliases and
    RootModels that are being read, and ``known`` those that have been.
    ``reachable`` are classes and aliases that generated code reaches by another name than their
    own. ``owners`` maps the beginning of qualified names (``shop.desk_agent.``) to the Elixir
    module, inside the service's, that what is called so belongs to.
    """

    def __init__(self, overrides: Mapping[str, Override] | None = None) -> None:
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        self.unions: dict[str, Union] = {}
        self.places: dict[str, Place] = {}
        self.refusals: list[Refusal] = []
        self.pending: list[Any] = []
        self.parts: dict[tuple[str, str], Place] = {}
        self.local: dict[str, tuple[str, str]] = {}
        self.overrides = dict(overrides or {})
        self.seen: set[str] = set()
        self.renamed: dict[str, str] = {}
        self.arguments: dict[str, tuple[Type, ...]] = {}
        self.recursions: dict[Any, Recursion] = {}
        self.known: dict[Any, Type] = {}
        self.reachable: set[Any] = set()
        self.owners: dict[str, str] = {}
        self._classes: dict[str, Any] = {}
        self._names: dict[Any, str] = {}
        self._noted: dict[tuple[Any, str], str] = {}
        self._aliases: dict[int, list[tuple[str, Any]]] = {}
        self._literals: dict[str, list[str]] = {}

    def message(self, annotation: Any, arguments: tuple[Type, ...] = ()) -> MessageRef:
        """A reference to the message of a class with fields, which is read later.

        A generic class has one for each list of ``arguments`` that it is filled in with: those that
        are the same on the wire (``Page[AnyUrl]`` and ``Page[HttpUrl]``) share one.
        """
        cls = generic_origin(annotation)
        name = qualified(cls)
        local = cls.__qualname__
        if arguments:
            name += f"[{', '.join(fill(one, 'argument', self._name) for one in arguments)}]"
            local += "Of" + "".join(fill(one, "argument_label", self._label) for one in arguments)
        if self._classes.setdefault(name, cls) is not cls:
            raise Unsupported(f"there are two classes `{name}`", "rename one of them")
        if self.arguments.setdefault(name, arguments) != arguments:
            raise Unsupported(
                f"there are two classes `{name}`, whose arguments differ in constraints only, "
                "which are no part of a name",
                f"derive a class with a name of its own: `class Some{cls.__name__}"
                f"({cls.__name__}[…]): ...`",
            )
        if self._claim(name, cls, local):
            self.places[name] = source.class_place(cls)
            self.pending.append(annotation)
        self._names[annotation] = name
        self._noted[annotation, repr(annotation)] = name
        return MessageRef(name)

    def noted(self, annotation: Any) -> MessageRef | None:
        """The message of a class with these arguments, in this order, if it has been noted.

        A generic class that holds itself comes to an end by it, where the names of its arguments
        tell the place that they were met at first.
        """
        name = self._noted.get((annotation, repr(annotation)))
        return None if name is None else MessageRef(name)

    def name_of(self, annotation: Any) -> str:
        """The name of the message of a class that has been noted."""
        return self._names[annotation]

    def union(self, union: Union, local: str, place: Place) -> UnionRef:
        """A reference to a union, which is known as ``local`` in its module."""
        known = self.unions.get(union.name)
        if known is not None and known != union and (same := _reconciled(known, union)):
            self.unions[union.name] = known = union = same
        if known is not None and known != union:
            free, count = union.name, 1
            while not self.is_free(free):
                count += 1
                free = f"{union.name}{count}"
            return self.union(replace(union, name=free, role="place"), f"{local}{count}", place)
        if known is None:
            self.unions[union.name] = union
            self.places[union.name] = place
            self.local[union.name] = (union.module, local)
        return UnionRef(union.name)

    def aliases(self, namespace: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """The Literals and unions that have a name in a module."""
        key = id(namespace)
        if key not in self._aliases:
            named = ((name, _alias(value)) for name, value in namespace.items())
            self._aliases[key] = [
                (name, value)
                for name, value in named
                if value is not None and not name.startswith("_")
            ]
        return self._aliases[key]

    def enum(self, cls: type[enum.Enum]) -> EnumRef:
        """A reference to the enum of an ``enum.Enum`` class."""
        name = qualified(cls)
        if self._claim(name, cls, cls.__qualname__):
            self.places[name] = source.class_place(cls, "enum")
            self.enums[name] = read_enum(cls, name)
        return EnumRef(name)

    def literal(
        self, values: tuple[LiteralValue, ...], module: str, local: str, place: Place
    ) -> EnumRef:
        """A reference to the enum of a ``Literal`` that is known as ``local`` in ``module``."""
        for value in values:
            if isinstance(value, enum.Enum):
                self.enum(type(value))
            elif not isinstance(value, bytes):
                _check_text(value)
        members = literal_members(values)
        if min(len(set(values)), len({member.name for member in members})) < len(values):
            raise Unsupported(
                "two of its values are equal or written alike", "leave one out, or write an Enum"
            )
        # The same alias, imported into another module.
        for known in self._literals.get(local, []) if "." not in local else []:
            if self.enums[known].members == members:
                return EnumRef(known)
        name = f"{module}.{local}"
        self._literals.setdefault(local, []).append(name)
        self.places[name] = place
        self.local[name] = (module, local)
        self.enums[name] = Enum(name, "", "", "literal", members)
        return EnumRef(name)

    def is_free(self, name: str) -> bool:
        """Whether nothing has that qualified name yet."""
        return name not in self.places

    def override(self, name: str, namespace: Mapping[str, Any]) -> Overridden | None:
        """What the configuration puts in the place of ``name``.

        It is evaluated with the names of the module in which it stands.
        """
        self.seen.add(name)
        override = self.overrides.get(name)
        if override is None:
            return None
        override.check_converters(name)
        annotation = override.evaluate(name, namespace)
        return Overridden(name, override, annotation, str(namespace["__name__"]))

    def note_renamed(self, name: str, metadata: Iterable[Any]) -> None:
        """Note what the metadata of a field or parameter says about its earlier name."""
        for item in metadata:
            if isinstance(item, RenamedFrom):
                self.renamed[name] = item.name

    def refuse(self, refusal: Refusal) -> None:
        """Note something that cannot cross the bridge."""
        self.refusals.append(refusal)

    def reach(self, cls: type) -> None:
        """Refuse a class that generated code cannot reach by its name."""
        if cls not in self.reachable:
            check_reachable(cls)

    def reaches(self, alias: Any) -> bool:
        """Whether generated code can reach an alias by its name."""
        return alias in self.reachable or hints.is_reachable(alias)

    def owner(self, name: str) -> tuple[str, str] | None:
        """The Elixir module that owns a qualified name, and what the name is in it."""
        for start, elixir in self.owners.items():
            if name.startswith(start):
                return elixir, name.removeprefix(start)
        return None

    def _claim(self, name: str, cls: type, local: str) -> bool:
        """Note a class; true the first time."""
        if name in self.places:
            return False
        self.reach(cls)
        self.local[name] = (cls.__module__, local)
        return True

    def _name(self, one: Named) -> str:
        if isinstance(one, EnumRef) and self.enums[one.name].role == "literal":
            return f"Literal[{', '.join(repr(m.value) for m in self.enums[one.name].members)}]"
        return one.name

    def _label(self, one: Named) -> str:
        if isinstance(one, EnumRef) and self.enums[one.name].role == "literal":
            values = (names.snake(str(m.value)) for m in self.enums[one.name].members)
            return names.camelize("_".join(values)) or "Literal"
        if one.name in self.local:
            return names.message(self.local[one.name][1])
        module = one.module if isinstance(one, RootOf | Custom) else one.name.rpartition(".")[0]
        local = one.name.removeprefix(f"{module}.")
        return names.message(re.sub(r"\W+", "_", local))  # of a generic class, with its arguments


def _reconciled(one: Union, other: Union) -> Union | None:
    """One union that is met in its order and out of it: it has its order, and its members' signs.

    ``None`` where the two are different ones.
    """
    signed = {member.type: member.sign for member in (*one.members, *other.members) if member.sign}
    ordered = other if one.members[0].sign else one
    if {member.type for member in one.members} != {member.type for member in other.members}:
        return None
    if ordered.members[0].sign or len(signed) < len(ordered.members):
        return None
    members = (replace(m, positions=(), sign=signed[m.type]) for m in ordered.members)
    return replace(ordered, members=tuple(members))


def _alias(value: Any) -> Any | None:
    """The Literal or union that a value of a module is, if it is one; peeled."""
    origin = typing.get_origin(value)
    named = hints.is_alias(value) or typing_objects.is_annotated(origin)
    if not (named or hints.is_union(value) or typing_objects.is_literal(origin)):
        return None
    try:
        inner, _ = hints.peel(value)
    except Exception:
        return None  # An alias is an expression of the user's, and can raise anything.
    is_one = hints.is_union(inner) or typing_objects.is_literal(typing.get_origin(inner))
    return inner if is_one else None


def generic_origin(annotation: Any) -> Any:
    """The class as it was written: that of ``Page`` for ``Page[Item]``."""
    model = getattr(annotation, "__pydantic_generic_metadata__", None)
    if isinstance(annotation, type) and model and model["origin"]:
        return model["origin"]
    return typing.get_origin(annotation) or annotation


def read_enum(cls: type[enum.Enum], name: str) -> Enum:
    """An enum class as contract, in declaration order; aliases are the member they stand for."""
    if issubclass(cls, enum.Flag):
        raise Unsupported(
            f"`{cls.__qualname__}` is a Flag, whose values are combinations of members",
            "write `int`, or a list of an Enum's members",
        )
    members = list(cls)
    if not members:
        raise Unsupported(f"enum `{cls.__qualname__}` has no members", "give it at least one")
    docs = source.member_docs(cls)
    read = []
    for number, member in enumerate(members, 1):
        value = member.value
        if type(value) not in (str, int, bool, float) or value != value or value in _INFINITE:
            value = member.name  # JSON has no such value, and the name says as much.
        _check_text(value)
        elixir = names.atom(names.underscore(member.name))
        read.append(EnumMember(member.name, value, number, "", elixir, docs.get(member.name, "")))
    return Enum(name, "", "", "enum", tuple(read), class_doc(cls), cls.__module__)


_LONGEST_ATOM = 255
"""Erlang's limit, in code points."""


_INFINITE = (math.inf, -math.inf)


def _check_text(value: str | float) -> None:
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise Unsupported(f"{value!r} has a lone surrogate, which UTF-8 cannot hold", "drop it")
    if isinstance(value, str) and len(value) > _LONGEST_ATOM:
        raise Unsupported(
            f"{value[:20]!r}… has {len(value)} characters, and an Elixir atom has at most "
            f"{_LONGEST_ATOM}",
            "shorten it, or write `str`",
        )


def literal_members(values: tuple[LiteralValue, ...]) -> tuple[EnumMember, ...]:
    """The members of a ``Literal``; in Elixir a string is its atom, a number or boolean itself."""
    members = []
    for number, value in enumerate(values, 1):
        match value:
            case enum.Enum():
                read = read_enum(type(value), "").members
                (member,) = (one for one in read if one.name == value.name)
                of = qualified(type(value))
                members.append(replace(member, number=number, doc="", of=of))
            case bytes():
                text = value.decode("latin-1")
                members.append(EnumMember(text, text, number, "", names.atom(text), of="bytes"))
            case bool():
                elixir = "true" if value else "false"
                members.append(EnumMember(str(value), value, number, "", elixir))
            case int():
                elixir = elixir_terms.integer(value)
                members.append(EnumMember(str(value), value, number, "", elixir))
            case str():
                members.append(EnumMember(value, value, number, "", names.atom(value)))
    return tuple(members)


def class_doc(cls: type) -> str:
    """A class's own docstring: neither an inherited one nor the one that dataclasses make up."""
    doc = cls.__dict__.get("__doc__")
    if not isinstance(doc, str) or doc.startswith(f"{cls.__name__}("):
        return ""
    return source.clean(doc)
