"""The messages and enums that a service turns out to need."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_bridge.contract import elixir_terms, names
from synapse_bridge.contract.model import Enum, EnumMember, Message, Union
from synapse_bridge.contract.types import EnumRef, MessageRef
from synapse_bridge.introspect import source
from synapse_bridge.introspect.overrides import Overridden, Override
from synapse_bridge.introspect.refusal import Place, Refusal, Unsupported
from synapse_bridge.renamed import RenamedFrom

LiteralValue = str | int | bool


class Catalogue:
    """Collects while types are read: a class that is named is noted once and read later, so that
    recursive models come out by themselves.

    ``local`` splits the qualified names into module and name within it; ``places`` and ``parts``
    (of fields and parameters, by message and name) are for errors.
    ``overrides`` maps qualified names (of a class, field, parameter or result) to the annotation
    that the configuration puts in their place; ``seen`` are all such names that there were.
    ``renamed`` maps qualified names of fields and parameters to those that the code says they had.
    """

    def __init__(self, overrides: Mapping[str, Override] | None = None) -> None:
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        self.unions: dict[str, Union] = {}
        self.places: dict[str, Place] = {}
        self.refusals: list[Refusal] = []
        self.pending: list[type] = []
        self.parts: dict[tuple[str, str], Place] = {}
        self.local: dict[str, tuple[str, str]] = {}
        self.overrides = dict(overrides or {})
        self.seen: set[str] = set()
        self.renamed: dict[str, str] = {}

    def message(self, cls: type) -> MessageRef:
        """A reference to the message of a model or dataclass, which is read later."""
        name = qualified(cls)
        if self._claim(name, cls):
            self.places[name] = source.class_place(cls)
            self.pending.append(cls)
        return MessageRef(name)

    def enum(self, cls: type[enum.Enum]) -> EnumRef:
        """A reference to the enum of an ``enum.Enum`` class."""
        name = qualified(cls)
        if self._claim(name, cls):
            self.places[name] = source.class_place(cls, "enum")
            self.enums[name] = read_enum(cls, name)
        return EnumRef(name)

    def literal(
        self, values: tuple[LiteralValue, ...], module: str, local: str, place: Place
    ) -> EnumRef:
        """A reference to the enum of a ``Literal`` that is known as ``local`` in ``module``."""
        if min(len(set(values)), len({str(value) for value in values})) < len(values):
            raise Unsupported(
                "two of its values are equal or written alike", "leave one out, or write an Enum"
            )
        for value in values:
            _check_text(value)
        members = literal_members(values)
        for known in self.enums.values():
            # The same alias, imported into another module.
            alias = "." not in local and self.local[known.name][1] == local
            if alias and known.members == members:
                return EnumRef(known.name)
        name = f"{module}.{local}"
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

    def _claim(self, name: str, cls: type) -> bool:
        """Note a class; true the first time. Generated code has to reach it by its name."""
        if name in self.places:
            return False
        if _reach(cls) is not cls:
            raise Unsupported(
                f"its class cannot be reached as `{name}`",
                "define the class at the top of its module, under its own name",
            )
        self.local[name] = (cls.__module__, cls.__qualname__)
        return True


def qualified(cls: type) -> str:
    """``shop.models.Order``: the name of a class in the contract."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _reach(cls: type) -> object:
    """What stands under a class's qualified name."""
    found: object = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found


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
        if not isinstance(value, str | int) or type(value).__module__ != "builtins":
            raise Unsupported(
                f"the value of `{cls.__qualname__}.{member.name}` is {_article(value)}",
                "give every member a str or int value",
            )
        _check_text(value)
        elixir = names.atom(names.underscore(member.name))
        read.append(EnumMember(member.name, value, number, "", elixir, docs.get(member.name, "")))
    return Enum(name, "", "", "enum", tuple(read), class_doc(cls), cls.__module__)


_LONGEST_ATOM = 255
"""Erlang's limit, in code points."""


def _check_text(value: LiteralValue) -> None:
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
            case bool():
                elixir = "true" if value else "false"
            case int():
                elixir = elixir_terms.integer(value)
            case str():
                elixir = names.atom(value)
        members.append(EnumMember(str(value), value, number, "", elixir))
    return tuple(members)


def class_doc(cls: type) -> str:
    """A class's own docstring: neither an inherited one nor the one that dataclasses make up."""
    doc = cls.__dict__.get("__doc__")
    if not isinstance(doc, str) or doc.startswith(f"{cls.__name__}("):
        return ""
    return source.clean(doc)


def _article(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
