"""The JSON document → contract. The document has been checked against its own schema before."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import unquote

from synapse_bridge.contract.model import (
    Agent,
    AgentTool,
    Annotation,
    Contract,
    Default,
    Docstring,
    Dynamic,
    Enum,
    EnumMember,
    Field,
    JSONValue,
    Literally,
    Message,
    Method,
    Parameter,
    Required,
    Reserved,
    Service,
    Streamed,
    Union,
    UnionMember,
)
from synapse_bridge.contract.registry import ROWS
from synapse_bridge.contract.schema_write import LENGTH_KEYWORDS, NUMBER_KEYWORDS, Schema
from synapse_bridge.contract.types import (
    Constraints,
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    ScalarKind,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)

_SCALARS: tuple[ScalarKind, ...] = tuple(
    sorted(get_args(ScalarKind), key=lambda kind: -len(ROWS[kind].json_schema))
)
"""From the most to the least particular, so that the first that fits is the right one."""


def contract(document: Schema) -> Contract:
    """The contract that a checked document holds."""
    definitions: dict[str, Schema] = document["$defs"]
    reader = _Reader(definitions)
    return Contract(
        reader.service(document["x-synapse-service"]),
        tuple(reader.message(n, d) for n, d in definitions.items() if "x-synapse-message" in d),
        tuple(reader.enums.values()),
        tuple(reader.union(n, d) for n, d in definitions.items() if "x-synapse-union" in d),
        tuple(map(reader.agent, document.get("x-synapse-agents", []))),
    )


class _Reader:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.enums = {n: _enum(n, d) for n, d in definitions.items() if "x-synapse-enum" in d}
        self.unions = {n for n, d in definitions.items() if "x-synapse-union" in d}

    def type(self, schema: Schema) -> Type:
        match schema:
            case {"$ref": str(pointer)}:
                name = _name(pointer)
                if name in self.unions:
                    return UnionRef(name)
                return EnumRef(name) if name in self.enums else MessageRef(name)
            case {"allOf": [inner], "x-synapse-root": root}:
                return RootOf(root["name"], root["module"], self.type(inner))
            case {"allOf": [inner], "x-synapse-custom": about}:
                return Custom(inner=self.type(inner), **about)
            case {"anyOf": [inner, {"type": "null"}]}:
                return Nullable(self.type(inner))
            case {"type": "array", "items": False}:
                return TupleOf(tuple(map(self.type, schema.get("prefixItems", []))))
            case {"type": "array", "uniqueItems": True, "items": item}:
                python = schema.get("x-synapse-python", "set")
                return SetOf(self.type(item), _constraints("set", schema), python)
            case {"type": "array", "items": item}:
                python = schema.get("x-synapse-python", "list")
                return ListOf(self.type(item), _constraints("list", schema), python)
            case {"x-synapse-key": key, "additionalProperties": value}:
                python = schema.get("x-synapse-python", "dict")
                types = self.type(key), self.type(value)
                return MapOf(*types, _constraints("map", schema), python)
            case _:
                return _scalar(schema)

    def service(self, schema: Schema) -> Service:
        methods = tuple(self.method(method) for method in schema["methods"])
        return Service(**{**schema, "methods": methods})

    def agent(self, schema: Schema) -> Agent:
        deps = schema["deps"]
        return Agent(
            **{
                **schema,
                "output": self.type(schema["output"]),
                "deps": None if deps is None else self.type(deps),
                "tools": tuple(AgentTool(**tool) for tool in schema["tools"]),
                "models": tuple(schema["models"]),
            }
        )

    def method(self, schema: Schema) -> Method:
        result = schema["result"]
        return Method(
            **{
                **schema,
                "request": _name(schema["request"]["$ref"]),
                "response": _name(schema["response"]["$ref"]),
                "parameters": tuple(Parameter(**p) for p in schema["parameters"]),
                "result": None if result is None else self.type(result),
                "doc": _docstring(schema["doc"]),
                "raises": tuple(_name(error["$ref"]) for error in schema["raises"]),
            }
        )

    def message(self, name: str, schema: Schema) -> Message:
        about = schema["x-synapse-message"]
        fields = tuple(self.field(n, s) for n, s in schema["properties"].items())
        extra = [self.field(n, s) for n, s in about.get("extra", {}).items()]
        arguments = tuple(map(self.type, about.get("arguments", ())))
        own: Schema = {"arguments": arguments, "extra": extra[0] if extra else None}
        own["reserved"] = _reserved(about)
        return Message(name=name, fields=fields, doc=schema["description"], **{**about, **own})

    def union(self, name: str, schema: Schema) -> Union:
        about = schema["x-synapse-union"]
        members = tuple(
            UnionMember(
                **{**member, "positions": tuple(map(tuple, member["positions"]))},
                type=self.type(type_),
            )
            for type_, member in zip(schema["anyOf"], about["members"], strict=True)
        )
        return Union(
            name=name,
            doc=schema["description"],
            **{**about, "members": members, "reserved": _reserved(about)},
        )

    def field(self, name: str, schema: Schema) -> Field:
        about = schema["x-synapse-field"]
        type_ = self.type(schema)
        return Field(
            name=name,
            number=about["number"],
            type=type_,
            default=self.default(type_, about["default"], schema.get("default")),
            doc=schema["description"],
            proto=about["proto"],
            elixir=about["elixir"],
            computed=about.get("computed", False),
            serialized=about.get("serialized", False),
            annotation=Annotation(**about["annotation"]) if "annotation" in about else None,
        )

    def default(self, type_: Type, kind: str, value: JSONValue) -> Default:
        match kind:
            case "literal":
                return Literally(self.names(type_, value))
            case "dynamic":
                return Dynamic()
            case "streamed":
                return Streamed()
            case _:
                return Required()

    def names(self, type_: Type, value: JSONValue) -> JSONValue:
        """A literal with the names of enum members in the place of their values."""
        match type_, value:
            case Nullable(), None:
                return None
            case Nullable(inner), _:
                return self.names(inner, value)
            case RootOf(inner=inner), _:
                return self.names(inner, value)
            case TupleOf(items), list():
                pairs = zip(items, value, strict=True)
                return [self.names(item, element) for item, element in pairs]
            case ListOf(item) | SetOf(item), list():
                return [self.names(item, element) for element in value]
            case MapOf(value=inner), dict():
                return {key: self.names(inner, element) for key, element in value.items()}
            case EnumRef(name), _:
                members = self.enums[name].members
                return next(m.name for m in members if _same(m.value, value))
            case _:
                return value


def _same(left: Any, right: Any) -> bool:
    """Equality as JSON has it: 1 and true differ."""
    return (type(left), left) == (type(right), right)


def _scalar(schema: Schema) -> Scalar:
    for kind in _SCALARS:
        if ROWS[kind].json_schema.items() <= schema.items():
            return Scalar(kind, _constraints(kind, schema))
    raise AssertionError(f"no kind of value for {schema}")


def _constraints(kind: str, schema: Schema) -> Constraints:
    shortest, longest = LENGTH_KEYWORDS.get(kind, ("", ""))
    keywords = NUMBER_KEYWORDS | {"min_length": shortest, "max_length": longest}
    carried = ROWS[kind].constraints
    return Constraints(
        **{
            name: schema[word]
            for name, word in keywords.items()
            if name in carried and word in schema
        }
    )


def _name(pointer: str) -> str:
    text = unquote(pointer.removeprefix("#/$defs/"))
    return text.replace("~1", "/").replace("~0", "~")


def _docstring(schema: Schema) -> Docstring:
    return Docstring(
        summary=schema["summary"],
        description=schema["description"],
        params=tuple((name, text) for name, text in schema["params"]),
        returns=schema["returns"],
        raises=tuple((name, text) for name, text in schema["raises"]),
        examples=tuple(schema["examples"]),
    )


def _reserved(about: Schema) -> tuple[Reserved, ...]:
    return tuple(Reserved(**one) for one in about.get("reserved", ()))


def _enum(name: str, schema: Schema) -> Enum:
    about = schema["x-synapse-enum"]
    members = tuple(
        EnumMember(value=value, **member)
        for value, member in zip(schema["enum"], about["members"], strict=True)
    )
    about = {**about, "members": members, "reserved": _reserved(about)}
    return Enum(name=name, doc=schema["description"], **about)
