"""The types of the contract: what a value is, independent of Python, protobuf and Elixir.

A type is an immutable tree. Leaves are scalars and references to named messages, enums and unions;
inner nodes are containers and nullability. Constraints sit on the node they constrain, so that
``list[Annotated[int, Ge(0)]]`` and ``Annotated[list[int], MinLen(1)]`` stay different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

ScalarKind = Literal[
    "bool",
    "int64",
    "uint64",
    "bigint",
    "double",
    "decimal",
    "string",
    "bytes",
    "bytearray",
    "secret_string",
    "secret_bytes",
    "datetime",
    "naive_datetime",
    "date",
    "time",
    "timedelta",
    "uuid",
    "path",
    "url",
    "email",
    "regex",
    "ipv4",
    "ipv6",
    "ip",
    "ipv4_interface",
    "ipv6_interface",
    "ip_interface",
    "ipv4_network",
    "ipv6_network",
    "ip_network",
    "any",
    "tensor",
]
KeyKind = Literal["bool", "int64", "uint64", "string"]
Number: TypeAlias = "int | float"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What pydantic's ``Field`` (or ``annotated_types``) demands of a value beyond its type.

    ``min_length`` and ``max_length`` count code points of a string, bytes of a byte string, items
    of a list and entries of a map. ``pattern`` is in the syntax of pydantic's default regex engine
    (the Rust ``regex`` crate) and is searched for, not anchored. ``allow_inf_nan`` is told where it
    is not the default, which is yes for a double and no for a decimal.
    """

    ge: Number | None = None
    gt: Number | None = None
    le: Number | None = None
    lt: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    allow_inf_nan: bool | None = None

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


ListKind = Literal["list", "tuple", "deque", "Sequence", "Iterable"]
SetKind = Literal["set", "frozenset", "Set"]
MapKind = Literal["dict", "Mapping", "defaultdict", "OrderedDict", "Counter"]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An ordered sequence of values of one type; ``python`` is the container that Python has."""

    item: Type
    constraints: Constraints = field(default=NONE)
    python: ListKind = "list"


@dataclass(frozen=True, slots=True)
class SetOf:
    """Values of one type, none of them twice, in no order."""

    item: Type
    constraints: Constraints = field(default=NONE)
    python: SetKind = "set"


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A fixed number of values, each of its own type."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from keys, whose type is hashable in Python, to values of one type."""

    key: Type
    value: Type
    constraints: Constraints = field(default=NONE)
    python: MapKind = "dict"


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


@dataclass(frozen=True, slots=True)
class UnionRef:
    """A union of the same contract, by its qualified Python name."""

    name: str


@dataclass(frozen=True, slots=True)
class RootOf:
    """A pydantic ``RootModel``: everywhere but in Python it is what it holds.

    ``name`` and ``module`` are those of the class, as a :class:`~synapse_bridge.contract.Message`
    has them.
    """

    name: str
    module: str
    inner: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """A Python type that travels as a value of another type, always as one value.

    ``via`` says who converts:

    - ``annotation``: nobody; ``source`` is the annotation that holds instead of Python's own;
    - ``converters``: the functions ``to_wire`` and ``from_wire`` (``package.module.function``), to
      and from values that fit the annotation ``source``;
    - ``schema``: the class's own pydantic schema, which takes and gives values of JSON;
    - ``flag``: the number of an ``enum.Flag``.

    ``name`` is the qualified name of a class, or of the field, parameter or result that stands in
    its place; ``module`` is the Python module to import, where the names of ``source`` are known.
    ``elixir`` is the converter module there, or empty where the value is as on the wire.
    """

    name: str
    module: str
    inner: Type
    via: Literal["annotation", "converters", "schema", "flag"]
    source: str = ""
    to_wire: str = ""
    from_wire: str = ""
    elixir: str = ""
    is_class: bool = True


Type: TypeAlias = (
    "Scalar | ListOf | SetOf | TupleOf | MapOf | Nullable "
    "| MessageRef | EnumRef | UnionRef | RootOf | Custom"
)
Ref: TypeAlias = MessageRef | EnumRef | UnionRef
Named: TypeAlias = Ref | RootOf | Custom
"""What has a name of its own."""
Container: TypeAlias = ListOf | SetOf | MapOf


def parts(type_: Type) -> dict[str, Type]:
    """The types that a type is made of, by the names they have in the registry's templates.

    The many parts of a tuple are ``item_1``, ``item_2`` …; templates have them as ``{items}``.
    """
    match type_:
        case ListOf(inner) | SetOf(inner) | Nullable(inner):
            return {"item": inner}
        case RootOf(inner=inner) | Custom(inner=inner):
            return {"item": inner}
        case TupleOf(items):
            return {f"item_{number}": item for number, item in enumerate(items, 1)}
        case MapOf(key, value):
            return {"key": key, "value": value}
        case Scalar() | MessageRef() | EnumRef() | UnionRef():
            return {}


def references(type_: Type) -> Iterator[Ref]:
    """The messages, enums and unions that ``type_`` names directly, in the order they appear."""
    if isinstance(type_, Ref):
        yield type_
    for part in parts(type_).values():
        yield from references(part)


def unrooted(type_: Type) -> Type:
    """What travels in the place of a ``RootModel``; any other type is itself."""
    while isinstance(type_, RootOf):
        type_ = type_.inner
    return type_


def bare(type_: Type) -> Type:
    """The type without constraints, and containers as Python's usual ones."""
    match type_:
        case Scalar(kind):
            return Scalar(kind)
        case ListOf(item):
            return ListOf(bare(item))
        case SetOf(item):
            return SetOf(bare(item))
        case TupleOf(items):
            return TupleOf(tuple(map(bare, items)))
        case MapOf(key, value):
            return MapOf(bare(key), bare(value))
        case Nullable(inner):
            return Nullable(bare(inner))
        case RootOf(name, module, inner):
            return RootOf(name, module, bare(inner))
        case MessageRef() | EnumRef() | UnionRef() | Custom():
            return type_
