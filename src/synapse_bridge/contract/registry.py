"""The type mapping: one row for each kind of value, read by every emitter.

A row says how a kind of value is written in each language. Emitters never branch on kinds: they
fill in a row's templates. A new kind is a new row here and a golden file in ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from synapse_bridge.contract.types import (
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Scalar,
    Type,
    parts,
)
from synapse_bridge.contract.wire import Wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one kind of value is written.

    Templates are ``str.format`` strings. ``{item}``, ``{key}`` and ``{value}`` stand for the inner
    types' texts in the same column; ``{name}`` for the name of a message or enum there.
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
            notes="Packed on the wire where the items are numbers, booleans or enums.",
        ),
        "map": Row(
            python="dict[{key}, {value}]",
            json_schema={"type": "object"},
            proto="map<{key}, {value}>",
            label="MapOf{key}{value}",
            elixir_field="{{:map, {key}, {value}}}",
            elixir_type="%{{optional({key}) => {value}}}",
            constraints=_LENGTH,
            notes="Keys are `str`, `int` or `bool`.",
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
            notes="`BaseModel` and dataclasses, nested and recursive.",
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


def row(type_: Type | Wrapped) -> Row:
    """The row that says how values of this type are written."""
    match type_:
        case Scalar(kind):
            return ROWS[kind]
        case ListOf():
            return ROWS["list"]
        case MapOf():
            return ROWS["map"]
        case Nullable():
            return ROWS["nullable"]
        case MessageRef():
            return ROWS["message"]
        case EnumRef():
            return ROWS["enum"]
        case Wrapped():
            return ROWS["wrapped"]


def fill(type_: Type, column: str, name: Callable[[MessageRef | EnumRef], str]) -> str:
    """The text of a type in a column, with ``name`` for messages and enums."""
    template: str = getattr(row(type_), column)
    if column == "elixir_input" and not template:
        template = row(type_).elixir_type
    if isinstance(type_, MessageRef | EnumRef):
        return template.format(name=name(type_))
    return template.format(**{k: fill(part, column, name) for k, part in parts(type_).items()})
