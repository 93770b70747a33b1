"""Models that are read from a JSON Schema: plain data in the place of classes that are more.

pydantic-ai's messages are dataclasses with fields that hide behind others, and with serializers of
their own. What they are stored as is public and exact, and its schema tells its shape. So the
mirror of a message is a model of what is stored: it crosses as any model does.

- What is the same in all values of a model (``part_kind: "text"``) is no field: the model's class
  says as much. It is put back when the model is written.
- A key that may be missing, and has no default, is ``None`` where it is missing. Where ``null``
  would mean something else than that, the whole object stays a ``dict``.
- Bytes are bytes, moments are moments; what the schema leaves open is any value of JSON.
- Models that stand for themselves can be ``kept``: they have a field more for what the others
  cannot say of what is stored. It is not part of what they write.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from synapse_bridge.agents.alias import alias

Schema = Mapping[str, Any]

_PREFIX = "#/$defs/"
_SCALARS: Mapping[tuple[str, str], Any] = {
    ("string", ""): str,
    ("string", "base64url"): bytes,
    ("string", "date-time"): datetime,
    ("string", "duration"): timedelta,
    ("integer", ""): int,
    ("number", ""): float,
    ("boolean", ""): bool,
}


EXACT = "exact"
"""The field of models that are kept."""


class Stored(BaseModel):
    """What all mirrors have in common."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    stored_constants: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """What is stored with every value of the class."""
    stored_if_present: ClassVar[frozenset[str]] = frozenset()
    """The keys that are not stored where they are ``None``."""

    @pydantic.model_serializer(mode="wrap")
    def _as_stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        found.pop(EXACT, None)
        for name in self.stored_if_present:
            if found.get(name) is None:
                found.pop(name, None)
        return {**found, **self.stored_constants}


class Mirror:
    """Reads definitions of a schema, each once, into a module's namespace.

    ``names`` renames definitions, ``open_`` are those whose values may hold keys besides, and
    ``kept`` those that are kept to the byte.
    """

    def __init__(
        self,
        module: str,
        definitions: Mapping[str, Schema],
        names: Mapping[str, str],
        open_: frozenset[str],
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self.namespace: dict[str, Any] = {}
        self._module = module
        self._definitions = definitions
        self._names = names
        self._open = open_
        self._kept = kept
        self._given: dict[str, Any] = {}
        self._aliases: dict[str, Any] = {}

    def give(self, definition: str, annotation: Any) -> None:
        """Let an annotation stand for a definition."""
        self._given[definition] = annotation

    def alias(self, name: str, annotation: Any) -> Any:
        """A named alias of an annotation, in the namespace."""
        made = alias(self._module, name, annotation)
        self.namespace[name] = made
        return made

    def call(self, name: str, schema: Schema) -> Any:
        """Let a name stand for a schema, wherever the same stands."""
        made = self.alias(name, self.annotation(schema))
        self._aliases[_shape(schema)] = made
        return made

    def annotation(self, schema: Schema) -> Any:
        """What a schema says, as an annotation."""
        if (alias := self._aliases.get(_shape(schema))) is not None:
            return alias
        match schema:
            case {"$ref": str(ref)}:
                return self._referred(ref.removeprefix(_PREFIX))
            case {"enum": list(values)}:
                return Literal[tuple(values)]
            case {"const": value}:
                return Literal[value]
            case {"anyOf": list(options)} | {"oneOf": list(options)}:
                return self._union(options)
            case {"type": "array", "items": items}:
                return list[self.annotation(items)]  # type: ignore[misc] # known at run time only
            case {"type": "object", "additionalProperties": dict(values)}:
                return dict[str, self.annotation(values)]  # type: ignore[misc] # as above
            case {"type": "object"}:
                return dict[str, JsonValue]
            case {"type": "null"}:
                return None
            case {"type": kind, "format": form}:
                return _SCALARS[kind, form]
            case {"type": kind}:
                return _SCALARS[kind, ""]
            case _:
                return JsonValue

    def models(self, *definitions: str) -> Any:
        """The union of models, told apart by what is the same in all values of each."""
        chosen = [self._referred(name) for name in definitions]
        tags = [model.__name__ for model in chosen]
        tagged = [Annotated[one, Tag(tag)] for one, tag in zip(chosen, tags, strict=True)]
        return Annotated[reduce(or_, tagged), Discriminator(_chooser(chosen))]

    def _referred(self, definition: str) -> Any:
        if definition in self._given:
            return self._given[definition]
        schema = self._definitions[definition]
        name = self._names.get(definition, definition)
        if _is_ambiguous(schema):
            return dict[str, JsonValue]
        if "enum" in schema:
            return self._remembered(definition, self.alias(name, self.annotation(schema)))
        return self._model(definition, name, schema)

    def _remembered(self, definition: str, annotation: Any) -> Any:
        self._given[definition] = annotation
        return annotation

    def _model(self, definition: str, name: str, schema: Schema) -> type[Stored]:
        constants: dict[str, Any] = {}
        droppable: set[str] = set()
        fields: dict[str, Any] = {}
        required = schema.get("required", ())
        for key, member in schema.get("properties", {}).items():
            if "const" in member:
                constants[key] = member["const"]
                continue
            annotation = self.annotation(member)
            if key in required and not member.get("readOnly"):
                fields[key] = (annotation, ...)
            elif "default" in member:
                fields[key] = (annotation, member["default"])
            else:
                droppable.add(key)
                fields[key] = (annotation | None, None)
        if definition in self._kept:
            fields[EXACT] = (str | None, Field(None, description=_ABOUT_EXACT))
        moments = [key for key, (annotation, _) in fields.items() if _is_moment(annotation)]
        in_utc = pydantic.field_validator(*moments)(_in_utc) if moments else None
        if definition in self._open or schema.get("additionalProperties") is True:
            bases: type[Stored] = _Open
        else:
            bases = Stored
        made = pydantic.create_model(
            name,
            __base__=bases,
            __module__=self._module,
            __validators__={"_in_utc": in_utc} if in_utc else None,
            __doc__=f"What pydantic-ai stores of a `{definition.partition('_')[0]}`.",
            **fields,
        )
        made.stored_constants = MappingProxyType(constants)
        made.stored_if_present = frozenset(droppable)
        self.namespace[name] = made
        self._given[definition] = made
        return made

    def _union(self, options: list[Schema]) -> Any:
        found = list(self._options(options))
        if {"type": "null"} in found:
            rest = [one for one in options if one != {"type": "null"}]
            inner = self.annotation(rest[0] if len(rest) == 1 else {"anyOf": rest})
            return inner | None
        if {"type": "string"} in found:  # it takes in all enums of strings
            found = [one for one in found if "enum" not in one or one.get("type") != "string"]
        named = [one["$ref"].removeprefix(_PREFIX) for one in found if "$ref" in one]
        models = [name for name in named if self._is_model(name)]
        parts = [self.annotation(one) for one in found if one.get("$ref", "")[8:] not in models]
        if models:
            parts.insert(0, self._models_or_one(models))
        return reduce(or_, parts)

    def _is_model(self, definition: str) -> bool:
        found = self._definitions.get(definition, {})
        return "properties" in found and not _is_ambiguous(found)

    def _models_or_one(self, names: list[str]) -> Any:
        return self.models(*names) if len(names) > 1 else self._referred(names[0])

    def _options(self, options: list[Schema]) -> Iterator[Schema]:
        """The alternatives, with those of nested unions."""
        for option in options:
            nested = option.get("anyOf") or option.get("oneOf")
            if nested:
                yield from self._options(nested)
            else:
                yield option


_ABOUT_EXACT = (
    "What the other fields cannot say of the message's JSON: the order of keys in its objects, "
    "where that is not the alphabet's, and times that are not in UTC. Pass it on with the message."
)


def _is_moment(annotation: Any) -> bool:
    return annotation is datetime or datetime in typing.get_args(annotation)


def _in_utc(moment: datetime | None) -> datetime | None:
    """The moment as it crosses; one without an offset is taken as pydantic-ai writes its own."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _shape(schema: Schema) -> str:
    """What makes two schemas the same: not what they are called, nor what is said of them."""
    about = ("title", "description", "default")
    plain = {key: value for key, value in schema.items() if key not in about}
    return json.dumps(plain, sort_keys=True, default=str)


def _is_ambiguous(schema: Schema) -> bool:
    """Whether an object has a key that may be missing, and may be ``null`` as well."""
    return any(
        {"type": "null"} in member.get("anyOf", ()) and "default" not in member
        for key, member in schema.get("properties", {}).items()
        if key not in schema.get("required", ())
    )


class _Open(Stored):
    """A mirror that may hold more than it names."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, JsonValue]


def _chooser(models: list[type[Stored]]) -> Callable[[Any], str | None]:
    """What tells the model of a value: its class, or the kinds that it is stored with.

    Some kinds are of several models; the one that names most of them goes first.
    """
    kinds = {
        model.__name__: {
            key: value for key, value in model.stored_constants.items() if key.endswith("kind")
        }
        for model in models
    }
    order = sorted(kinds, key=lambda name: -len(kinds[name]))

    def choose(value: Any) -> str | None:
        if not isinstance(value, dict):
            return type(value).__name__
        for name in order:
            if all(value.get(key) == kind for key, kind in kinds[name].items()):
                return name
        return None

    return choose


def plain_name(definition: str) -> str:
    """The name of a class without the arguments that pydantic's schemas put behind it."""
    return re.sub(r"_Literal_.*", "", definition)
