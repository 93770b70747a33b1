"""The types of the contract: what a value is, independent of Python, protobuf and Elixir.

A type is an immutable tree. Leaves are scalars and references to named messages and enums;
inner nodes are lists, maps and nullability. Constraints sit on the node they constrain, so that
``list[Annotated[int, Ge(0)]]`` and ``Annotated[list[int], MinLen(1)]`` stay different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

ScalarKind = Literal["bool", "int64", "uint64", "double", "string", "bytes"]
KeyKind = Literal["bool", "int64", "uint64", "string"]
Number: TypeAlias = "int | float"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What pydantic's ``Field`` (or ``annotated_types``) demands of a value beyond its type.

    ``min_length`` and ``max_length`` count code points of a string, bytes of a byte string, items
    of a list and entries of a map. ``pattern`` is in the syntax of pydantic's default regex engine
    (the Rust ``regex`` crate) and is searched for, not anchored.
    """

    ge: Number | None = None
    gt: Number | None = None
    le: Number | None = None
    lt: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def items(self) -> Iterator[tuple[str, Number | str]]:
        """The constraints that are set, by name, in declaration order."""
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None:
                yield f.name, value

    def __bool__(self) -> bool:
        return any(True for _ in self.items())


NONE = Constraints()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without inner structure."""

    kind: ScalarKind
    constraints: Constraints = field(default=NONE)


@dataclass(frozen=True, slots=True)
class ListOf:
    """An ordered sequence of values of one type."""

    item: Type
    constraints: Constraints = field(default=NONE)


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from scalar keys to values of one type."""

    key: Scalar
    value: Type
    constraints: Constraints = field(default=NONE)


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value or ``None``. Never holds another ``Nullable``."""

    inner: Type


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message of the same contract, by its qualified Python name."""

    name: str


@dataclass(frozen=True, slots=True)
class EnumRef:
    """An enum of the same contract, by its qualified Python name."""

    name: str


Type: TypeAlias = "Scalar | ListOf | MapOf | Nullable | MessageRef | EnumRef"


def parts(type_: Type) -> dict[str, Type]:
    """The types that a type is made of, by the names they have in the registry's templates."""
    match type_:
        case ListOf(inner) | Nullable(inner):
            return {"item": inner}
        case MapOf(key, value):
            return {"key": key, "value": value}
        case Scalar() | MessageRef() | EnumRef():
            return {}


def references(type_: Type) -> Iterator[MessageRef | EnumRef]:
    """The messages and enums that ``type_`` names directly, in the order they appear."""
    match type_:
        case MessageRef() | EnumRef():
            yield type_
        case ListOf(item=inner) | Nullable(inner=inner) | MapOf(value=inner):
            yield from references(inner)
        case Scalar():
            pass
