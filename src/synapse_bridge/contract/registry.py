"""The type mapping: one row for each kind of value, read by every emitter.

A row says how a kind of value is written in each language. Emitters never branch on kinds: they
fill in a row's templates. A new kind is a new row here and a golden file in ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from synapse_bridge.contract.types import (
    Container,
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
    parts,
)
from synapse_bridge.contract.wire import Entry, Wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one kind of value is written.

    Templates are ``str.format`` strings. ``{item}``, ``{key}`` and ``{value}`` stand for the inner
    types' texts in the same column, ``{items}`` for those of a tuple; ``{name}`` for the name of a
    message, enum or union there.
    """

    python: str
    """The annotation, as source, and as the documentation shows it."""
    json_schema: Mapping[str, object]
    """The JSON Schema 2020-12 keywords that say the same, without those for inner types."""
    proto: str
    """The proto3 type of an element; for a wrapper and in wrapper names see ``label``."""
    label: str
    """The part this kind plays in the name of a wrapper message: ``ListOf`` + ``Int64``."""
    elixir_field: str
    """The type in the field table of a generated ``SynapseBridge.Message``."""
    elixir_type: str
    """The typespec of a value."""
    elixir_input: str = ""
    """The typespec of an argument, where more is taken than ``elixir_type`` says."""
    from_wire: str = "{x}"
    """In a generated server, what makes the wire's value ``{x}`` one that pydantic takes."""
    to_wire: str = "{x}"
    """In a generated server, what makes a checked value ``{x}`` one that protobuf takes."""
    constraints: frozenset[str] = frozenset()
    """The constraints that this kind can carry."""
    notes: str = ""
    """What a user should know, for the reference page."""


_NUMBER = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
_LENGTH = frozenset({"min_length", "max_length"})

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "bool": Row(
            python="bool",
            json_schema={"type": "boolean"},
            proto="bool",
            label="Bool",
            elixir_field=":bool",
            elixir_type="boolean()",
        ),
        "int64": Row(
            python="int",
            json_schema={"type": "integer", "format": "int64"},
            proto="int64",
            label="Int64",
            elixir_field=":int64",
            elixir_type="integer()",
            constraints=_NUMBER,
            notes="Outside of -2^63 … 2^63-1: refused by the side that sends.",
        ),
        "uint64": Row(
            python="int",
            json_schema={"type": "integer", "format": "uint64"},
            proto="uint64",
            label="Uint64",
            elixir_field=":uint64",
            elixir_type="non_neg_integer()",
            constraints=_NUMBER,
            notes="An `int` with `ge=0` and an upper bound above 2^63-1 (at most 2^64-1).",
        ),
        "double": Row(
            python="float",
            json_schema={"type": "number", "format": "double"},
            proto="double",
            label="Double",
            elixir_field=":double",
            elixir_type="SynapseBridge.Message.double()",
            elixir_input="SynapseBridge.Message.double() | integer()",
            constraints=_NUMBER,
            notes="NaN and the infinities are `:nan`, `:infinity`, `:negative_infinity` in Elixir.",
        ),
        "string": Row(
            python="str",
            json_schema={"type": "string"},
            proto="string",
            label="String",
            elixir_field=":string",
            elixir_type="String.t()",
            constraints=_LENGTH | {"pattern"},
            notes="Invalid UTF-8 and lone surrogates are refused with the path.",
        ),
        "bytes": Row(
            python="bytes",
            json_schema={"type": "string", "contentEncoding": "base64"},
            proto="bytes",
            label="Bytes",
            elixir_field=":bytes",
            elixir_type="binary()",
            constraints=_LENGTH,
        ),
        "list": Row(
            python="list[{item}]",
            json_schema={"type": "array"},
            proto="repeated {item}",
            label="ListOf{item}",
            elixir_field="{{:list, {item}}}",
            elixir_type="[{item}]",
            constraints=_LENGTH,
            notes=(
                "Also `tuple[T, ...]`, `deque`, `Sequence`, `Collection` and `Iterable`. Packed on "
                "the wire where the items are numbers, booleans or enums."
            ),
        ),
        "set": Row(
            python="set[{item}]",
            json_schema={"type": "array", "uniqueItems": True},
            proto="repeated {item}",
            label="SetOf{item}",
            elixir_field="{{:set, {item}}}",
            elixir_type="MapSet.t({item})",
            elixir_input="MapSet.t({item}) | [{item}]",
            constraints=_LENGTH,
            notes="Also `frozenset` and `collections.abc.Set`. Duplicates are refused.",
        ),
        "tuple": Row(
            python="tuple[{items}]",
            json_schema={"type": "array", "items": False},
            proto="{name}",
            label="TupleOf{items}",
            elixir_field="{{:tuple, [{items}]}}",
            elixir_type="{{{items}}}",
            notes="A message with the fields `item_1`, `item_2` …",
        ),
        "map": Row(
            python="dict[{key}, {value}]",
            json_schema={"type": "object"},
            proto="map<{key}, {value}>",
            label="MapOf{key}{value}",
            elixir_field="{{:map, {key}, {value}}}",
            elixir_type="%{{optional({key}) => {value}}}",
            constraints=_LENGTH,
            notes=(
                "Also `Mapping`, `defaultdict`, `OrderedDict` and `Counter`. Keys may be of any "
                "hashable type: those that are not `str`, `int` or `bool` travel as a `repeated` "
                "message with `key` and `value`."
            ),
        ),
        "nullable": Row(
            python="{item} | None",
            json_schema={"anyOf": [{"type": "null"}]},
            proto="{item}",
            label="Optional{item}",
            elixir_field="{{:nullable, {item}}}",
            elixir_type="{item} | nil",
            notes="A wrapper message tells None from absent where both mean something.",
        ),
        "message": Row(
            python="{name}",
            json_schema={"type": "object"},
            proto="{name}",
            label="{name}",
            elixir_field="{{:message, {name}}}",
            elixir_type="{name}.t()",
            elixir_input="{name}.t() | map() | keyword()",
            from_wire="{name}_from_wire({x})",
            to_wire="{name}_to_wire({x})",
            notes=(
                "`BaseModel`, dataclasses and `NamedTuple`, nested, recursive and generic. A "
                "`TypedDict` is a map with atom keys."
            ),
        ),
        "enum": Row(
            python="{name}",
            json_schema={},
            proto="{name}",
            label="{name}",
            elixir_field="{{:enum, {name}}}",
            elixir_type="{name}.t()",
            from_wire="{name}[{x}]",
            to_wire="{name}.number[{x}]",
            notes=(
                "`Enum` and `Literal`. An unknown number is `{:unknown, n}` in Elixir, "
                "an error in Python."
            ),
        ),
        "union": Row(
            python="{name}",
            json_schema={},
            proto="{name}",
            label="{name}",
            elixir_field="{{:union, {name}}}",
            elixir_type="{name}.t()",
            elixir_input="{name}.input()",
            from_wire="{name}_from_wire({x})",
            to_wire="{name}_to_wire({x})",
            notes=(
                "A message with a `oneof`. In Elixir the bare value where its kind tells which "
                "member it is, else `{tag, value}`; both are taken."
            ),
        ),
        "root": Row(
            python="{name}",
            json_schema={},
            proto="{item}",
            label="{item}",
            elixir_field="{item}",
            elixir_type="{item}",
            elixir_input="{item}",
            to_wire="{x}.root",
            notes="A `RootModel` is what it holds.",
        ),
        "wrapped": Row(
            python="{item}",
            json_schema={},
            proto="{name}",
            label="{item}",
            elixir_field="{{:wrapped, {item}}}",
            elixir_type="{item}",
        ),
    }
)


def row(type_: Type | Wrapped | Entry) -> Row:
    """The row that says how values of this type are written."""
    return ROWS[type_.kind if isinstance(type_, Scalar) else _KINDS[type(type_)]]


_KINDS: Mapping[type, str] = {
    ListOf: "list",
    SetOf: "set",
    TupleOf: "tuple",
    MapOf: "map",
    Nullable: "nullable",
    MessageRef: "message",
    EnumRef: "enum",
    UnionRef: "union",
    RootOf: "root",
    Wrapped: "wrapped",
    Entry: "wrapped",
}


_CONTAINERS: Mapping[str, str] = {
    "list": "list[{item}]",
    "tuple": "tuple[{item}, ...]",
    "deque": "collections.deque[{item}]",
    "Sequence": "collections.abc.Sequence[{item}]",
    "Collection": "collections.abc.Collection[{item}]",
    "Iterable": "collections.abc.Iterable[{item}]",
    "set": "set[{item}]",
    "frozenset": "frozenset[{item}]",
    "Set": "collections.abc.Set[{item}]",
    "dict": "dict[{key}, {value}]",
    "Mapping": "collections.abc.Mapping[{key}, {value}]",
    "defaultdict": "collections.defaultdict[{key}, {value}]",
    "OrderedDict": "collections.OrderedDict[{key}, {value}]",
    "Counter": "collections.Counter[{key}]",
}
"""The annotations of containers, by what the contract calls them."""


def fill(type_: Type, column: str, name: Callable[[Ref | RootOf], str]) -> str:
    """The text of a type in a column, with ``name`` for what the user has named."""
    template: str = getattr(row(type_), column)
    if column == "elixir_input" and not template:
        template = row(type_).elixir_type
    if column == "python" and isinstance(type_, Container):
        template = _CONTAINERS[type_.python]
    texts = {part: fill(inner, column, name) for part, inner in parts(type_).items()}
    if isinstance(type_, Ref | RootOf):
        texts["name"] = name(type_)
    elif isinstance(type_, TupleOf):
        texts = {"items": ("" if column == "label" else ", ").join(texts.values())}
    return template.format(**texts)
