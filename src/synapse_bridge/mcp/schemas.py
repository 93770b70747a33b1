"""JSON Schemas of what a tool takes and gives, from the contract's own document.

What only code needs to know (``x-synapse-…``) is left away, names are the short ones of the proto
package, and only what a tool reaches is in its schemas: a model reads every word of them. What it
gives is told more exactly than what it takes: all fields are there, also those with a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from synapse_bridge.contract import schema_write
from synapse_bridge.contract.model import (
    Contract,
    Dynamic,
    Enum,
    Field,
    Message,
    Method,
    Required,
    Union,
    UnionMember,
)
from synapse_bridge.contract.schema_write import Schema, reference
from synapse_bridge.contract.types import EnumRef, MapOf, MessageRef, Type, parts, unrooted
from synapse_bridge.mcp.reading import key_text
from synapse_bridge.mcp.unions import Tags, Unions

RESULT = "result"
"""The name of a result that is no object by itself: before 2026 MCP has objects only."""

_LENGTHS = {"x-synapse-min-length": "minLength", "x-synapse-max-length": "maxLength"}


class Schemas:
    """The schemas of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._unions = Unions(contract)
        self._document = schema_write.document(contract)["$defs"]
        self._names = {reference(one.name): one for one in contract.named()}

    def input(self, method: Method) -> Schema:
        """Of the arguments, by the names of the parameters."""
        request = self._contract.message(method.request)
        root = self._message(request, sent=False)
        if method.stream is not None:
            item = root["properties"][method.stream]
            description = {"description": item.pop("description")} if "description" in item else {}
            root["properties"][method.stream] = {**description, "type": "array", "items": item}
            root["required"] = [*root.get("required", ()), method.stream]
        return self._closed(root, sent=False)

    def output(self, method: Method) -> Schema | None:
        """Of the structured content; ``None`` where a function returns nothing."""
        if method.result is None:
            return None
        if is_object(method):
            assert isinstance(method.result, MessageRef)
            return self._closed(
                self._message(self._contract.message(method.result.name), sent=True)
            )
        (field,) = self._contract.message(method.response).fields
        result = self._field(self._contract.message(method.response), field)
        if method.doc.returns:
            result = {"description": method.doc.returns, **result}
        if method.streams_result:
            result = {"type": "array", "items": result}
        properties = {RESULT: result}
        root: Schema = {"type": "object", "properties": properties, "required": [RESULT]}
        return self._closed({**root, "additionalProperties": False})

    def _closed(self, root: Schema, *, sent: bool = True) -> Schema:
        """The schema with the definitions that it needs."""
        definitions: dict[str, Schema] = {}
        todo = [*_references(root)]
        while todo:
            one = self._names[todo.pop()]
            if one.proto not in definitions:
                match one:
                    case Message():
                        made = self._message(one, sent=sent)
                    case Union():
                        made = self._union(one, sent=sent)
                    case Enum():
                        made = self._cleaned(self._document[one.name])
                        made |= _type_of(made["enum"])
                definitions[one.proto] = made
                todo += _references(made)
        self._shorten(root)
        for made in definitions.values():
            self._shorten(made)
        return {**root, "$defs": dict(sorted(definitions.items()))} if definitions else root

    def _shorten(self, schema: Any) -> None:
        for one in _schemas(schema):
            if "$ref" in one:
                one["$ref"] = reference(self._names[one["$ref"]].proto)

    def _message(self, message: Message, *, sent: bool) -> Schema:
        """A message, as Python sends it or as it takes it."""
        fields = [field for field in message.fields if sent or not field.computed]
        there = [field.name for field in fields if _is_there(message, field, sent=sent)]
        known = self._document[message.name]
        extra: Any = False
        if message.extra is not None:
            map_ = unrooted(message.extra.type)
            assert isinstance(map_, MapOf)
            extra = self._cleaned(schema_write.type_schema(map_.value)) or True
        return {
            **({"description": known["description"]} if known["description"] else {}),
            "type": "object",
            "properties": {field.name: self._field(message, field) for field in fields},
            **({"required": there} if there else {}),
            "additionalProperties": extra,
        }

    def _union(self, union: Union, *, sent: bool) -> Schema:
        """A union, whose models have what tells them apart."""
        made: Schema = self._cleaned(self._document[union.name])
        told = self._unions.tags(union)
        if told is None:
            return made
        members = zip(union.members, made["anyOf"], strict=True)
        return {**made, "anyOf": [self._member(told, *one, sent=sent) for one in members]}

    def _member(self, told: Tags, member: UnionMember, schema: Schema, *, sent: bool) -> Schema:
        ref = unrooted(member.type)
        if member.name not in told.members or not isinstance(ref, MessageRef):
            return schema
        model = self._message(self._contract.message(ref.name), sent=sent)
        named = {told.key: {"const": member.name}}
        required = [*([told.key] if sent else []), *model.pop("required", [])]
        model["properties"] = named | model["properties"]
        return {**model, "required": required} if required else model

    def _field(self, message: Message, field: Field) -> Schema:
        schema: Schema = self._cleaned(self._document[message.name]["properties"][field.name])
        self._keys(field.type, schema)
        return schema

    def _keys(self, type_: Type, schema: Schema) -> None:
        """Say which keys there are, where they are an enum's."""
        match unrooted(type_):
            case MapOf(key=EnumRef(name)):
                members = self._contract.enum(name).members
                schema["propertyNames"] = {"enum": [key_text(one.value) for one in members]}

    def _cleaned(self, schema: Any) -> Any:
        """A schema of the document without what only code needs."""
        if not isinstance(schema, dict):
            return schema
        made: Schema = {}
        for word, value in schema.items():
            match word:
                case "x-synapse-min-length" | "x-synapse-max-length":
                    made[_LENGTHS[word]] = -(-value // 3) * 4  # of base64, with its padding
                case "description" if not value:
                    pass
                case "title":
                    pass
                case "pattern" if not _is_portable(value):
                    pass
                case "propertyNames" if value in ({}, {"type": "string"}):
                    pass
                case "properties":
                    made[word] = {name: self._cleaned(one) for name, one in value.items()}
                case "anyOf" | "prefixItems":
                    made[word] = [self._cleaned(one) for one in value]
                case "allOf":
                    made |= self._cleaned(value[0])
                case "items" | "propertyNames" | "additionalProperties":
                    made[word] = self._cleaned(value)
                case _ if word.startswith("x-synapse-"):
                    pass
                case _:
                    made[word] = value
        return made


def is_object(method: Method) -> bool:
    """Whether a result is an object of JSON by its type, and so structured content as it is."""
    return isinstance(method.result, MessageRef) and not method.streams_result


def _is_there(message: Message, field: Field, *, sent: bool) -> bool:
    if not sent:
        return isinstance(field.default, Required)
    return message.role != "typed_dict" or not isinstance(field.default, Dynamic)


def _type_of(values: list[Any]) -> Schema:
    """The type of an enum's values, if they have one."""
    for type_, name in ((str, "string"), (bool, "boolean"), (int, "integer")):
        if values and all(type(value) is type_ for value in values):
            return {"type": name}
    return {}


_OTHERS = re.compile(r"\(\?(?!:)|\\[AzZpPhHvQEGKRX<>]|&&|\[\[|[*+?}]\+")
"""What the regular expressions of Rust have, and those of JSON Schema (ECMA-262) have not, or
mean another thing by."""


def _is_portable(pattern: str) -> bool:
    """Whether a pattern means the same to JSON Schema; otherwise only the server checks it."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return not _OTHERS.search(pattern)


def _references(schema: Any) -> Iterator[str]:
    yield from (one["$ref"] for one in _schemas(schema) if "$ref" in one)


def _schemas(schema: Any) -> Iterator[Schema]:
    """A schema and those inside, but for what it only quotes."""
    match schema:
        case dict():
            yield schema
            for word, value in schema.items():
                match word:
                    case "properties":
                        for one in value.values():
                            yield from _schemas(one)
                    case "anyOf" | "prefixItems":
                        for one in value:
                            yield from _schemas(one)
                    case "items" | "propertyNames" | "additionalProperties":
                        yield from _schemas(value)


def kinds(type_: Type) -> Iterator[Type]:
    """A type and all that it is made of."""
    yield type_
    for part in parts(type_).values():
        yield from kinds(part)
