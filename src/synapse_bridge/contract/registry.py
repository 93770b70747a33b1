"""The type mapping: one row for each kind of value, read by every emitter.

A row says how a kind of value is written in each language. Emitters never branch on kinds: they
fill in a row's templates. A new kind is a new row here and a golden file in ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from synapse_bridge.contract.types import (
    Container,
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Named,
    Nullable,
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
    proto_import: str = ""
    """The file that has to be imported for ``proto``."""
    proto_option: str = ""
    """The option of every field that holds such a value."""
    python_import: str = ""
    """The module that has to be imported for ``python`` and ``annotation``."""
    annotation: str = ""
    """The annotation, as source, that tells this kind from others that have its ``python``."""
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


def _text(python: str, label: str, **columns: Any) -> Row:
    """A value that travels as the text that Python's ``str`` makes of it, and pydantic reads."""
    name = columns.pop("name", label.lower())
    settings: dict[str, Any] = {"to_wire": "str({x})", "elixir_type": "String.t()", **columns}
    return Row(
        python=python,
        python_import=python.rpartition(".")[0],
        json_schema={"type": "string", "format": settings.pop("format", name)},
        proto="string",
        label=label,
        elixir_field=f":{name}",
        **settings,
    )


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
            annotation="serve.Uint64",
            json_schema={"type": "integer", "format": "uint64"},
            proto="uint64",
            label="Uint64",
            elixir_field=":uint64",
            elixir_type="non_neg_integer()",
            constraints=_NUMBER,
            notes="An `int` with `ge=0` and an upper bound above 2^63-1 (at most 2^64-1).",
        ),
        "bigint": Row(
            python="int",
            python_import="synapse_bridge",
            annotation="Annotated[int, synapse_bridge.BigInt]",
            json_schema={"type": "integer", "format": "bigint"},
            proto="string",
            label="BigInt",
            elixir_field=":bigint",
            elixir_type="integer()",
            from_wire="serve.from_digits({x})",
            to_wire="serve.to_digits({x})",
            constraints=_NUMBER,
            notes="`Annotated[int, synapse_bridge.BigInt]`: of any size, as decimal digits.",
        ),
        "double": Row(
            python="float",
            json_schema={"type": "number", "format": "double"},
            proto="double",
            label="Double",
            elixir_field=":double",
            elixir_type="SynapseBridge.Message.double()",
            elixir_input="SynapseBridge.Message.double() | integer()",
            constraints=_NUMBER | {"allow_inf_nan"},
            notes="NaN and the infinities are `:nan`, `:infinity`, `:negative_infinity` in Elixir.",
        ),
        "decimal": _text(
            "decimal.Decimal",
            "Decimal",
            constraints=frozenset({"allow_inf_nan"}),
            elixir_type="SynapseBridge.Message.decimal()",
            elixir_input="SynapseBridge.Message.decimal() | integer() | String.t()",
            notes=(
                "In Elixir a `Decimal` where that library is loaded, else a string. Exponents and "
                "trailing zeros stay. NaN and the infinities where pydantic allows them; a "
                "signaling NaN, or one with a payload, is refused."
            ),
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
        "bytearray": Row(
            python="bytearray",
            json_schema={"type": "string", "contentEncoding": "base64", "format": "bytearray"},
            proto="bytes",
            label="Bytearray",
            elixir_field=":bytes",
            elixir_type="binary()",
            from_wire="bytearray({x})",
            to_wire="bytes({x})",
            notes="A model that has one needs `arbitrary_types_allowed`, for pydantic itself.",
        ),
        "secret_string": Row(
            python="pydantic.SecretStr",
            python_import="pydantic",
            json_schema={"type": "string", "format": "password", "writeOnly": True},
            proto="string",
            proto_option="debug_redact = true",
            label="SecretString",
            elixir_field=":secret_string",
            elixir_type="String.t()",
            to_wire="serve.reveal({x})",
            constraints=_LENGTH,
            notes="Redacted in `inspect`, logs and errors. A default stays in Python.",
        ),
        "secret_bytes": Row(
            python="pydantic.SecretBytes",
            python_import="pydantic",
            json_schema={
                "type": "string",
                "contentEncoding": "base64",
                "format": "password",
                "writeOnly": True,
            },
            proto="bytes",
            proto_option="debug_redact = true",
            label="SecretBytes",
            elixir_field=":secret_bytes",
            elixir_type="binary()",
            to_wire="serve.reveal({x})",
            constraints=_LENGTH,
            notes="As `SecretStr`.",
        ),
        "datetime": Row(
            python="datetime.datetime",
            python_import="datetime",
            json_schema={"type": "string", "format": "date-time"},
            proto="google.protobuf.Timestamp",
            proto_import="google/protobuf/timestamp.proto",
            label="Datetime",
            elixir_field=":datetime",
            elixir_type="DateTime.t()",
            from_wire="serve.from_timestamp({x})",
            to_wire="serve.to_timestamp({x})",
            notes=(
                "Also `AwareDatetime`, `PastDatetime` and `FutureDatetime`. An instant, in UTC, "
                "exact to the microsecond. A naive one is refused, unless the module is configured "
                "with `naive_datetime: utc`."
            ),
        ),
        "naive_datetime": Row(
            python="datetime.datetime",
            python_import="datetime",
            annotation="pydantic.NaiveDatetime",
            json_schema={"type": "string", "format": "naive-date-time"},
            proto="string",
            label="NaiveDatetime",
            elixir_field=":naive_datetime",
            elixir_type="NaiveDateTime.t()",
            from_wire="serve.from_naive_datetime({x})",
            to_wire="serve.to_naive_datetime({x})",
            notes="`pydantic.NaiveDatetime`, in ISO 8601. A time zone is refused.",
        ),
        "date": Row(
            python="datetime.date",
            python_import="datetime",
            json_schema={"type": "string", "format": "date"},
            proto="google.type.Date",
            proto_import="google/type/date.proto",
            label="Date",
            elixir_field=":date",
            elixir_type="Date.t()",
            from_wire="serve.from_date({x})",
            to_wire="serve.to_date({x})",
            notes="Also `PastDate` and `FutureDate`. Years 1 to 9999. A `datetime` is refused.",
        ),
        "time": Row(
            python="datetime.time",
            python_import="datetime",
            json_schema={"type": "string", "format": "time"},
            proto="google.type.TimeOfDay",
            proto_import="google/type/timeofday.proto",
            label="Time",
            elixir_field=":time",
            elixir_type="Time.t()",
            from_wire="serve.from_time_of_day({x})",
            to_wire="serve.to_time_of_day({x})",
            notes="Exact to the microsecond. A time zone is refused.",
        ),
        "timedelta": Row(
            python="datetime.timedelta",
            python_import="datetime",
            json_schema={"type": "string", "format": "duration"},
            proto="google.protobuf.Duration",
            proto_import="google/protobuf/duration.proto",
            label="Timedelta",
            elixir_field=":timedelta",
            elixir_type="integer()",
            elixir_input="SynapseBridge.Message.timedelta()",
            from_wire="serve.from_duration({x})",
            to_wire="serve.to_duration({x})",
            notes=(
                "Microseconds in Elixir; a `Duration` without months and years is accepted where "
                "Elixir has it. Within ±10,000 years, as protobuf demands."
            ),
        ),
        "uuid": _text("uuid.UUID", "Uuid", notes="Also pydantic's `UUID1` … `UUID8`."),
        "path": _text(
            "pathlib.Path",
            "Path",
            notes=(
                "`Path` and its kin, `FilePath`, `DirectoryPath`, `NewPath`. A path that is no "
                "Unicode is refused."
            ),
        ),
        "url": _text(
            "pydantic.AnyUrl",
            "Url",
            format="uri",
            notes="pydantic's `AnyUrl` and all its kinds, such as `HttpUrl` and `PostgresDsn`.",
        ),
        "email": _text(
            "str",
            "Email",
            annotation="pydantic.EmailStr",
            notes="pydantic's `EmailStr`.",
        ),
        "regex": _text(
            "re.Pattern[str]",
            "Regex",
            to_wire="serve.pattern({x})",
            notes="The pattern's text. Flags and patterns of bytes are refused.",
        ),
        "ipv4": _text("ipaddress.IPv4Address", "Ipv4"),
        "ipv6": _text("ipaddress.IPv6Address", "Ipv6"),
        "ip": _text("pydantic.IPvAnyAddress", "Ip"),
        "ipv4_interface": _text("ipaddress.IPv4Interface", "Ipv4Interface", name="ipv4_interface"),
        "ipv6_interface": _text("ipaddress.IPv6Interface", "Ipv6Interface", name="ipv6_interface"),
        "ip_interface": _text("pydantic.IPvAnyInterface", "IpInterface", name="ip_interface"),
        "ipv4_network": _text("ipaddress.IPv4Network", "Ipv4Network", name="ipv4_network"),
        "ipv6_network": _text("ipaddress.IPv6Network", "Ipv6Network", name="ipv6_network"),
        "ip_network": _text("pydantic.IPvAnyNetwork", "IpNetwork", name="ip_network"),
        "any": Row(
            python="Any",
            json_schema={"x-synapse-kind": "any"},
            proto="synapse_bridge.v1.Value",
            proto_import="synapse_bridge/v1/types.proto",
            label="Any",
            elixir_field=":any",
            elixir_type="term()",
            from_wire="serve.from_value({x})",
            to_wire="serve.to_value({x})",
            notes=(
                "`Any`, `object`, `JsonValue`; `dict` and `list` without types hold it. `None`, "
                "`bool`, `int` of any size, `float`, `str`, `bytes`, and `list` and `dict` (with "
                "`str` keys) of these; everything else is refused with its path. In Elixir bytes "
                "are `%SynapseBridge.Bytes{}`, for a binary is text."
            ),
        ),
        "tensor": Row(
            python="numpy.ndarray",
            python_import="numpy",
            json_schema={"x-synapse-kind": "tensor"},
            proto="synapse_bridge.v1.Tensor",
            proto_import="synapse_bridge/v1/types.proto",
            label="Tensor",
            elixir_field=":tensor",
            elixir_type="SynapseBridge.Tensor.t()",
            from_wire="serve.from_tensor({x})",
            to_wire="serve.to_tensor({x})",
            notes=(
                "Booleans, integers, floats and complex numbers, of any shape; in C order and "
                "little-endian on the wire. What arrives is read-only, for it is not copied. A "
                "result has the dtype that its annotation says."
            ),
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
                "Also `tuple[T, ...]`, `deque`, `Sequence` and `Iterable`. Packed on "
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
        "custom": Row(
            python="{name}",
            json_schema={},
            proto="{item}",
            label="{item}",
            elixir_field="{item}",
            elixir_type="{item}",
            from_wire="{name}.from_wire({x})",
            to_wire="{name}.to_wire({x})",
            notes=(
                "A class that its pydantic schema, or the configuration, maps to another type. "
                "Also `Flag` and `IntFlag`, as the `int` of their bits."
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
    Custom: "custom",
    Wrapped: "wrapped",
    Entry: "wrapped",
}


_CONTAINERS: Mapping[str, str] = {
    "list": "list[{item}]",
    "tuple": "tuple[{item}, ...]",
    "deque": "collections.deque[{item}]",
    "Sequence": "collections.abc.Sequence[{item}]",
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


_ARGUMENT_LABELS: Mapping[str, str] = {
    "tuple": "TupleOfMany{item}",
    "deque": "DequeOf{item}",
    "Sequence": "SequenceOf{item}",
    "Iterable": "IterableOf{item}",
    "frozenset": "FrozensetOf{item}",
    "Set": "AbstractSetOf{item}",
    "Mapping": "MappingOf{key}{value}",
    "defaultdict": "DefaultdictOf{key}{value}",
    "OrderedDict": "OrderedDictOf{key}{value}",
    "Counter": "CounterOf{key}",
}
"""The labels of containers that are not Python's usual ones, where that matters."""


def fill(type_: Type, column: str, name: Callable[[Named], str]) -> str:
    """The text of a type in a column, with ``name`` for what the user has named.

    Some columns are made of others: ``annotation`` is ``python`` where it is not set. Arguments of
    generic classes are told apart by ``argument`` (``bigint`` where ``python`` is ``int``) and, in
    names, by ``argument_label``, which keeps containers and classes apart that travel alike.
    """
    template = _template(type_, column)
    if isinstance(type_, RootOf) and template == "{name}":
        return name(type_)  # which may be what it holds
    texts = {part: fill(inner, column, name) for part, inner in parts(type_).items()}
    if isinstance(type_, Custom) and type_.elixir and column.startswith("elixir"):
        return f"{type_.elixir}.t()"
    if isinstance(type_, Named):
        texts["name"] = name(type_)
    elif isinstance(type_, TupleOf):
        label = column in ("label", "argument_label")
        texts = {"items": ("" if label else ", ").join(texts.values())}
        if column in _PYTHON and not type_.items:
            texts = {"items": "()"}  # as Python writes the type of the empty tuple
    return template.format(**texts)


_PYTHON = ("python", "annotation", "argument")


def _template(type_: Type, column: str) -> str:
    one = row(type_)
    match column:
        case "annotation" | "argument" if isinstance(type_, Scalar) and one.annotation:
            return one.annotation if column == "annotation" else type_.kind
        case "python" | "annotation" | "argument":
            if isinstance(type_, RootOf):
                return "{name}"
            return _CONTAINERS[type_.python] if isinstance(type_, Container) else one.python
        case "argument_label":
            if isinstance(type_, RootOf | Custom):
                return "{name}"
            usual = isinstance(type_, Container) and _ARGUMENT_LABELS.get(type_.python)
            return usual or one.label
        case "elixir_input":
            return one.elixir_input or one.elixir_type
        case _:
            return str(getattr(one, column))
