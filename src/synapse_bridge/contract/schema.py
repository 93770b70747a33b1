"""The contract as JSON, which is at the same time a JSON Schema (2020-12) of its types.

``$defs`` holds every message and enum by its qualified Python name, as an ordinary schema of the
JSON that pydantic would read and write for it; what JSON Schema has no word for is in keywords that
begin with ``x-synapse-``. ``contract.schema.json``, beside this file, describes the whole document;
its version is :data:`VERSION`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any, Final, cast

from synapse_bridge.contract import reach, schema_read, schema_write
from synapse_bridge.contract.model import (
    Contract,
    Docstring,
    Enum,
    Field,
    Message,
    Method,
    Service,
    Union,
)
from synapse_bridge.contract.schema_write import VERSION
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
)

__all__ = [
    "VERSION",
    "ContractError",
    "contract_hash",
    "document_schema",
    "from_json",
    "method_hash",
    "to_json",
]


MOST_LINES: Final = 4_000
"""Of a contract that is written for people as well."""


class ContractError(ValueError):
    """The text is not a contract, or one of another version. The message says where and why."""


def to_json(contract: Contract) -> str:
    """The contract as text, stable to the byte: equal contracts give equal text.

    Where that would be more than :data:`MOST_LINES`, each definition is on a line of its own, and
    where even those are as many, the definitions of a Python module share a line.
    """
    document = schema_write.document(contract)
    text = _dumps(document, indent=2)
    return text if text.count("\n") <= MOST_LINES else _by_definition(document)


def _by_definition(document: dict[str, Any]) -> str:
    members = []
    for key, value in document.items():
        if key == "$defs":
            texts = {name: f"{_dumps(name)}: {_dumps(one)}" for name, one in value.items()}
            small = len(texts) <= MOST_LINES
            lines = [*texts.values()] if small else _by_module(value, texts)
            members.append(f'  "{key}": {{\n    ' + ",\n    ".join(lines) + "\n  }")
        else:
            members.append(f"  {_dumps(key)}: {_dumps(value)}")
    return "{\n" + ",\n".join(members) + "\n}\n"


def _by_module(definitions: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """The texts of neighbours that are of one Python module, together."""
    lines: list[list[str]] = []
    last = ""
    for name, text in texts.items():
        about = (one for key, one in definitions[name].items() if key.startswith("x-synapse"))
        module = next((one["module"] for one in about if one.get("module")), "")
        if not module:  # A literal, or a function's request: it is where its name says.
            module = last if name.startswith(f"{last}.") else name
        if module != last:
            lines.append([])
        lines[-1].append(text)
        last = module
    return [", ".join(line) for line in lines]


def _dumps(value: Any, indent: int | None = None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return f"{text}\n" if indent else text


def from_json(text: str | bytes) -> Contract:
    """The contract that :func:`to_json` wrote; raises :class:`ContractError` for any other text."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ContractError(f"it is not JSON: {error}") from None
    _check(document)
    return schema_read.contract(document)


def contract_hash(contract: Contract) -> str:
    """16 hexadecimal digits that change when the two ends would no longer understand each other.

    Covered are service, methods, messages, enums, numbers, types, constraints and defaults. Not
    covered are documentation, source lines, default deadlines, and names that never leave one side.
    """
    return _digest(contract)[:16]


def method_hash(contract: Contract, method: Method) -> str:
    """8 hexadecimal digits that change with the method or a message that it reaches.

    Where the hashes of two contracts differ, these say which calls are concerned.
    """
    return _digest(reach.of_method(contract, method))[:8]


def _digest(contract: Contract) -> str:
    text = json.dumps(
        schema_write.document(_wire_only(contract)), sort_keys=True, ensure_ascii=True
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def document_schema() -> dict[str, Any]:
    """The published JSON Schema of contract documents."""
    text = resources.files(__package__ or "").joinpath("contract.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _check(document: Any) -> None:
    # jsonschema is only needed where a contract is read, and takes as long to import as all else.
    import jsonschema

    version = document.get("x-synapse-contract") if isinstance(document, dict) else None
    if version is None:
        raise ContractError("it is not a contract: it has no `x-synapse-contract`")
    if version != VERSION:
        raise ContractError(
            f"it is a contract of version {version}, and this is version {VERSION}; "
            "write it again with this version of synapse_bridge"
        )
    errors = jsonschema.Draft202012Validator(document_schema()).iter_errors(document)
    worst = jsonschema.exceptions.best_match(errors)
    if worst is not None:
        raise ContractError(f"at {worst.json_path}: {worst.message}")


def _wire_only(contract: Contract) -> Contract:
    """The contract without what only one side ever sees; proto names stand for Python's."""
    protos = {item.name: item.proto for item in contract.named()}
    methods = [_wire_method(method, protos) for method in contract.service.methods]
    return Contract(
        Service(
            module="",
            proto_package=contract.service.proto_package,
            proto=contract.service.proto,
            elixir="",
            stem="",
            doc="",
            methods=tuple(sorted(methods, key=lambda method: method.proto)),
        ),
        tuple(_wire_message(message, protos) for message in contract.messages),
        tuple(_wire_enum(enum) for enum in contract.enums),
        tuple(_wire_union(union, protos) for union in contract.unions),
    )


def _wire_method(method: Method, protos: Mapping[str, str]) -> Method:
    return replace(
        method,
        name="",
        function="",
        elixir="",
        request=protos[method.request],
        response=protos[method.response],
        result=None if method.result is None else _wire_type(method.result, protos),
        is_async=False,
        doc=Docstring(),
        source="",
        context=None,
        timeout_ms=None,
        idempotent=False,
        raises=tuple(sorted(protos[name] for name in method.raises)),
    )


def _wire_message(message: Message, protos: Mapping[str, str]) -> Message:
    ordered = sorted(message.fields, key=lambda field: field.number)
    fields = tuple(_wire_field(field, protos) for field in ordered)
    extra = None if message.extra is None else _wire_field(message.extra, protos)
    return Message(message.proto, message.proto, "", "model", fields, extra=extra)


def _wire_field(field: Field, protos: Mapping[str, str]) -> Field:
    return replace(
        field,
        type=_wire_type(field.type, protos),
        doc="",
        elixir="",
        annotation=None,
        serialized=False,
    )


def _wire_union(union: Union, protos: Mapping[str, str]) -> Union:
    members = [
        replace(
            member,
            type=_wire_type(member.type, protos),
            doc="",
            elixir="",
            positions=(),
            sign="",
        )
        for member in sorted(union.members, key=lambda member: member.number)
    ]
    return Union(union.proto, union.proto, "", tuple(members))


def _wire_enum(enum: Enum) -> Enum:
    members = [
        replace(member, doc="", elixir="")
        for member in sorted(enum.members, key=lambda member: member.number)
    ]
    return Enum(enum.proto, enum.proto, "", "enum", tuple(members))


def _wire_type(type_: Type, protos: Mapping[str, str]) -> Type:
    match type_:
        case MessageRef(name):
            return MessageRef(protos[name])
        case EnumRef(name):
            return EnumRef(protos[name])
        case UnionRef(name):
            return UnionRef(protos[name])
        case ListOf(item, constraints):
            return ListOf(_wire_type(item, protos), constraints)
        case SetOf(item, constraints):
            return SetOf(_wire_type(item, protos), constraints)
        case TupleOf(items):
            return TupleOf(tuple(_wire_type(item, protos) for item in items))
        case MapOf(key, value, constraints):
            return MapOf(_wire_type(key, protos), _wire_type(value, protos), constraints)
        case Nullable(inner):
            return Nullable(_wire_type(inner, protos))
        case Custom(inner=inner):
            return Custom(name="", module="", inner=_wire_type(inner, protos), via="annotation")
        case RootOf(inner=inner):
            return _wire_type(inner, protos)
        case Scalar():
            return type_
