"""Contract → the JSON document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from synapse_bridge.contract.model import (
    Agent,
    AgentTool,
    Contract,
    Default,
    Docstring,
    Dynamic,
    Enum,
    Field,
    JSONValue,
    Literally,
    Message,
    Method,
    Required,
    Reserved,
    Service,
    Streamed,
    Union,
)
from synapse_bridge.contract.registry import row
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
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    unrooted,
)

VERSION = 1
"""The version of the document's format."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

NUMBER_KEYWORDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "allow_inf_nan": "x-synapse-allow-inf-nan",
}
LENGTH_KEYWORDS = {
    "string": ("minLength", "maxLength"),
    # JSON has bytes as base64, whose length is another one.
    "bytes": ("x-synapse-min-length", "x-synapse-max-length"),
    "secret_string": ("minLength", "maxLength"),
    "secret_bytes": ("x-synapse-min-length", "x-synapse-max-length"),
    "list": ("minItems", "maxItems"),
    "set": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
}
_KEYS: dict[str, Schema] = {
    "bool": {"enum": ["true", "false"]},
    "int64": {"pattern": "^-?[0-9]+$"},
    "uint64": {"pattern": "^[0-9]+$"},
}


def document(contract: Contract) -> Schema:
    """The whole document, in a fixed order of keys."""
    enums = {enum.name: enum for enum in contract.enums}
    definitions = {enum.name: _enum(enum) for enum in contract.enums}
    definitions |= {message.name: _message(message, enums) for message in contract.messages}
    definitions |= {union.name: _union(union) for union in contract.unions}
    return {
        "$schema": DIALECT,
        "$id": f"urn:synapse-bridge:service:{contract.service.full_name}",
        "x-synapse-contract": VERSION,
        "x-synapse-service": _service(contract.service),
        **({"x-synapse-agents": [*map(_agent, contract.agents)]} if contract.agents else {}),
        "$defs": dict(sorted(definitions.items())),
    }


def type_schema(type_: Type) -> Schema:
    """A type as a schema of its JSON form."""
    schema: Schema = dict(row(type_).json_schema)
    match type_:
        case Scalar(kind, constraints):
            return schema | _constraints(kind, constraints)
        case ListOf(item, constraints, python):
            inner = {"items": type_schema(item)} | _python(python, "list")
            return schema | inner | _constraints("list", constraints)
        case SetOf(item, constraints, python):
            inner = {"items": type_schema(item)} | _python(python, "set")
            return schema | inner | _constraints("set", constraints)
        case TupleOf(items):
            length = len(items)
            prefix: Schema = {"prefixItems": [*map(type_schema, items)]} if items else {}
            return schema | prefix | {"minItems": length, "maxItems": length}
        case MapOf(key, value, constraints, python):
            inner = _map(key, value) | _python(python, "dict")
            return schema | inner | _constraints("map", constraints)
        case Nullable(inner):
            return {"anyOf": [type_schema(inner), *schema["anyOf"]]}
        case MessageRef(name) | EnumRef(name) | UnionRef(name):
            return {"$ref": reference(name)}
        case RootOf(name, module, inner):
            return {
                "allOf": [type_schema(inner)],
                "x-synapse-root": {"name": name, "module": module},
            }
        case Custom():
            about = {
                "name": type_.name,
                "module": type_.module,
                "via": type_.via,
                "source": type_.source,
                "to_wire": type_.to_wire,
                "from_wire": type_.from_wire,
                "elixir": type_.elixir,
                "is_class": type_.is_class,
            }
            return {"allOf": [type_schema(type_.inner)], "x-synapse-custom": about}


def reference(name: str) -> str:
    """The JSON pointer to a definition, as a URI fragment."""
    return "#/$defs/" + quote(name.replace("~", "~0").replace("/", "~1"), safe="._~")


def key_schema(key: Type) -> Schema:
    """A map's keys as JSON has them, which is as strings."""
    plain = unrooted(key)
    if not isinstance(plain, Scalar):
        return {}
    return _KEYS[plain.kind] if plain.kind in _KEYS else type_schema(plain)


def _map(key: Type, value: Type) -> Schema:
    return {
        "propertyNames": key_schema(key),
        "additionalProperties": type_schema(value),
        "x-synapse-key": type_schema(key),
    }


def _python(kind: str, usual: str) -> Schema:
    """The container that Python has, where it is not the usual one."""
    return {} if kind == usual else {"x-synapse-python": kind}


def _constraints(kind: str, constraints: Constraints) -> Schema:
    shortest, longest = LENGTH_KEYWORDS.get(kind, ("", ""))
    keywords = NUMBER_KEYWORDS | {"min_length": shortest, "max_length": longest}
    return {keywords[name]: value for name, value in constraints.items()}


def _service(service: Service) -> Schema:
    return {
        "module": service.module,
        "proto_package": service.proto_package,
        "proto": service.proto,
        "elixir": service.elixir,
        "stem": service.stem,
        "doc": service.doc,
        "methods": [_method(method) for method in service.methods],
    } | ({"naive_datetime": "utc"} if service.naive_datetime == "utc" else {})


def _agent(agent: Agent) -> Schema:
    return {
        "name": agent.name,
        "variable": agent.variable,
        "elixir": agent.elixir,
        "doc": agent.doc,
        "output": type_schema(agent.output),
        "deps": None if agent.deps is None else type_schema(agent.deps),
        "tools": [*map(_tool, agent.tools)],
        "methods": dict(agent.methods),
        "deps_factory": agent.deps_factory,
        "models": [*agent.models],
    }


def _tool(tool: AgentTool) -> Schema:
    return {
        "name": tool.name,
        "doc": tool.doc,
        "parameters": dict(tool.parameters),
        "approval": tool.approval,
        "method": tool.method,
    }


def _method(method: Method) -> Schema:
    return {
        "name": method.name,
        "function": method.function,
        "proto": method.proto,
        "elixir": method.elixir,
        "request": {"$ref": reference(method.request)},
        "response": {"$ref": reference(method.response)},
        "parameters": [
            {"name": p.name, "kind": p.kind, "passing": p.passing} for p in method.parameters
        ],
        "result": None if method.result is None else type_schema(method.result),
        "is_async": method.is_async,
        "doc": _docstring(method.doc),
        "source": method.source,
        "stream": method.stream,
        "streams_result": method.streams_result,
        "context": method.context,
        "timeout_ms": method.timeout_ms,
        "idempotent": method.idempotent,
        "raises": [{"$ref": reference(name)} for name in method.raises],
    }


def _docstring(doc: Docstring) -> Schema:
    return {
        "summary": doc.summary,
        "description": doc.description,
        "params": [list(pair) for pair in doc.params],
        "returns": doc.returns,
        "raises": [list(pair) for pair in doc.raises],
        "examples": list(doc.examples),
    }


def _message(message: Message, enums: dict[str, Enum]) -> Schema:
    required = [f.name for f in message.fields if isinstance(f.default, Required)]
    extra = message.extra
    return {
        "title": message.proto,
        "description": message.doc,
        "type": "object",
        "properties": {field.name: _field(field, enums) for field in message.fields},
        "required": required,
        "additionalProperties": extra is not None,
        "x-synapse-message": {
            "proto": message.proto,
            "elixir": message.elixir,
            "role": message.role,
            "module": message.module,
        }
        | _reserved(message.reserved)
        | ({"arguments": [*map(type_schema, message.arguments)]} if message.arguments else {})
        | ({"extra": {extra.name: _field(extra, enums)}} if extra else {}),
    }


def _reserved(reserved: tuple[Reserved, ...]) -> Schema:
    if not reserved:
        return {}
    return {"reserved": [{"number": one.number, "name": one.name} for one in reserved]}


def _field(field: Field, enums: dict[str, Enum]) -> Schema:
    schema = {"description": field.doc, **type_schema(field.type)}
    if isinstance(field.default, Literally):
        schema["default"] = _values(field.type, field.default.value, enums)
    schema["x-synapse-field"] = {
        "number": field.number,
        "default": _default(field.default),
        "proto": field.proto,
        "elixir": field.elixir,
    } | ({"computed": True} if field.computed else {})
    if field.serialized:
        schema["x-synapse-field"]["serialized"] = True
    if (instead := field.annotation) is not None:
        schema["x-synapse-field"]["annotation"] = {
            "source": instead.source,
            "module": instead.module,
        }
    return schema


def _default(default: Default) -> str:
    match default:
        case Required():
            return "required"
        case Literally():
            return "literal"
        case Dynamic():
            return "dynamic"
        case Streamed():
            return "streamed"


def _values(type_: Type, written: JSONValue, enums: dict[str, Enum]) -> JSONValue:
    """A literal with the values of enum members in the place of their names, as JSON has them."""
    match type_, written:
        case Nullable(), None:
            return None
        case Nullable(inner), _:
            return _values(inner, written, enums)
        case RootOf(inner=inner), _:
            return _values(inner, written, enums)
        case TupleOf(items), list():
            pairs = zip(items, written, strict=True)
            return [_values(item, element, enums) for item, element in pairs]
        case ListOf(item) | SetOf(item), list():
            return [_values(item, element, enums) for element in written]
        case MapOf(value=value), dict():
            return {key: _values(value, element, enums) for key, element in written.items()}
        case EnumRef(name), _:
            return next(m.value for m in enums[name].members if m.name == written)
        case _:
            return written


def _enum(enum: Enum) -> Schema:
    return {
        "title": enum.proto,
        "description": enum.doc,
        "enum": [member.value for member in enum.members],
        "x-synapse-enum": {
            "proto": enum.proto,
            "elixir": enum.elixir,
            "role": enum.role,
            "module": enum.module,
            **_reserved(enum.reserved),
            "members": [
                {
                    "name": member.name,
                    "number": member.number,
                    "proto": member.proto,
                    "elixir": member.elixir,
                    "doc": member.doc,
                }
                | ({"of": member.of} if member.of else {})
                for member in enum.members
            ],
        },
    }


def _union(union: Union) -> Schema:
    return {
        "title": union.proto,
        "description": union.doc,
        "anyOf": [type_schema(member.type) for member in union.members],
        "x-synapse-union": {
            "proto": union.proto,
            "elixir": union.elixir,
            "role": union.role,
            "module": union.module,
            "discriminator": union.discriminator,
            "members": [
                {
                    "name": member.name,
                    "number": member.number,
                    "proto": member.proto,
                    "elixir": member.elixir,
                    "doc": member.doc,
                    "positions": [list(path) for path in member.positions],
                    **({"sign": member.sign} if member.sign else {}),
                }
                for member in union.members
            ],
            **_reserved(union.reserved),
        },
    }
