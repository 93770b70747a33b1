"""Exact checks of results, before they go to the wire.

Protobuf's constructors are lenient: ``None`` means "unset", ``2`` is a ``bool``, ``b"x"`` is a
``str``, ``"abc"`` is three strings for a ``list[str]``. A result must never change in silence, so
it is checked against the function's return annotation first, deeply and strictly.

The check is a pydantic-core validator that is made from the annotation's *structure* alone: it
looks at types and reads attributes. Validators, serializers and ``__post_init__`` of the user's
classes are not part of it, and its output is dropped, so that checking a value cannot change it.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, JsonValue
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator
from pydantic_core import core_schema as cs
from typing_inspection import typing_objects

from synapse_bridge.serve.custom import Custom, Types
from synapse_bridge.serve.exact_scalars import ANY, scalar


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """``check(value)`` raises pydantic's ``ValidationError`` where the value does not fit.

    ``recursive`` tells that values of the type can nest without limit.
    """

    check: Callable[[Any], Any]
    recursive: bool


def checker(annotation: Any, types: Types | None = None) -> Check:
    """The check for values of an annotation, which is resolved and may be ``Annotated``.

    ``types`` are those of the service.

    What the bridge has no type for is let through: introspection refuses such annotations, except
    where the configuration names another type for them.
    """
    schemas = _Schemas(types or Types())
    schema = schemas.of(annotation)
    if schemas.classes:
        schema = cs.definitions_schema(schema, list(schemas.classes.values()))
    return Check(SchemaValidator(schema).validate_python, schemas.recursive)


def members_checker(annotations: Mapping[str, Any], types: Types) -> Check:
    """The check of a dict of values, each by its annotation; one that is absent does not fit."""
    schemas = _Schemas(types)
    members = {name: cs.typed_dict_field(schemas.of(hint)) for name, hint in annotations.items()}
    schema: CoreSchema = cs.typed_dict_schema(members)
    if schemas.classes:
        schema = cs.definitions_schema(schema, list(schemas.classes.values()))
    return Check(SchemaValidator(schema).validate_python, schemas.recursive)


class _Schemas:
    """Makes schemas; one definition for each class, so that recursive classes come to an end."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self.classes: dict[type, CoreSchema] = {}
        self.recursive = False
        self._open: list[type] = []

    def of(
        self, annotation: Any, metadata: Iterable[Any] = (), *, by_value: bool = False
    ) -> CoreSchema:
        """The schema of an annotation. ``by_value``: enums are held as their values."""
        annotation, inner = _peel(annotation)
        if (
            custom := annotation
            if isinstance(annotation, Custom)
            else self._types.of_class(annotation)
        ):
            return custom.schema(self.of)
        one = scalar(annotation, [*inner, *metadata], naive_is_utc=self._types.naive_is_utc)
        if one is not None:
            self.recursive |= one is ANY
            return one
        if annotation in _BARE:
            annotation = _BARE[annotation]
        elif isinstance(annotation, type) and typing.get_origin(annotation) is None:
            return self._class(annotation, by_value)
        match typing.get_origin(annotation), typing.get_args(annotation):
            case builtins.list, (item,):
                return cs.list_schema(self.of(item, by_value=by_value), strict=True)
            case builtins.dict, (key, value):
                value_schema = self.of(value, by_value=by_value)
                return cs.dict_schema(self.of(key), value_schema, strict=True)
            case origin, members if origin in (typing.Union, types.UnionType):
                rest = [member for member in members if member is not types.NoneType]
                if len(rest) == 1:
                    return cs.nullable_schema(self.of(rest[0], metadata, by_value=by_value))
            case origin, values if typing_objects.is_literal(origin):
                return _literal(values)
        return cs.any_schema()

    def _class(self, cls: type, by_value: bool) -> CoreSchema:
        if issubclass(cls, enum.Enum):
            return cs.enum_schema(cls, list(cls), strict=not by_value)
        if not issubclass(cls, BaseModel) and not dataclasses.is_dataclass(cls):
            return cs.any_schema()
        ref = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
        if cls in self._open:
            self.recursive = True
        elif cls not in self.classes:
            self._open.append(cls)
            self.classes[cls] = cs.no_info_before_validator_function(
                _reader(cls), self._fields(cls), ref=ref
            )
            self._open.pop()
        return cs.definition_reference_schema(ref)

    def _fields(self, cls: type) -> CoreSchema:
        config: Mapping[str, Any] = getattr(cls, "model_config", None) or {}
        by_value = bool(config.get("use_enum_values"))
        members = {}
        for name, (annotation, metadata) in _members(cls).items():
            if custom := self._types.of_field(cls, name):
                schema = custom.schema(self.of)
            else:
                schema = self.of(annotation, metadata, by_value=by_value)
            members[name] = cs.typed_dict_field(schema)
        return cs.typed_dict_schema(members)


def _reader(cls: type) -> Callable[[Any], Mapping[str, Any]]:
    """Reads the attributes of instances of ``cls``, and of subclasses that hold no more than it."""
    names = _members(cls).keys()
    # Slots and properties are not in an instance's dict. What is there is read without a detour.
    in_dict = not any(inspect.isdatadescriptor(inspect.getattr_static(cls, n, None)) for n in names)

    def attributes(value: Any) -> Mapping[str, Any]:
        if type(value) is cls and in_dict:
            return vars(value)
        if not isinstance(value, cls):
            raise PydanticCustomError(
                "is_instance_of", "Input should be an instance of {class}", {"class": cls.__name__}
            )
        if more := ", ".join(sorted(_members(type(value)).keys() - names)):
            raise PydanticCustomError(
                "is_exact_instance_of",
                "Input should be an instance of {class} itself, a subclass would lose {more}",
                {"class": cls.__name__, "more": more},
            )
        return {name: getattr(value, name) for name in names if hasattr(value, name)}

    return attributes


def _members(cls: type) -> dict[str, tuple[Any, Iterable[Any]]]:
    """The fields of a model or dataclass: annotation and metadata by name."""
    if issubclass(cls, BaseModel):
        return {name: (f.annotation, f.metadata) for name, f in cls.model_fields.items()}
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(cls)  # type: ignore[arg-type] # a dataclass
    return {field.name: (hints[field.name], [field.default]) for field in fields}


def _literal(values: Iterable[Any]) -> CoreSchema:
    """One of ``values`` and of its type: to a plain ``==``, 1 is True."""
    by_type: dict[type, list[Any]] = {}
    for value in values:
        by_type.setdefault(type(value), []).append(value)
    choices: list[CoreSchema | tuple[CoreSchema, str]] = [
        cs.chain_schema([_of_type(kind), cs.literal_schema(same)]) for kind, same in by_type.items()
    ]
    return cs.union_schema(choices)


def _of_type(kind: type) -> CoreSchema:
    schema = scalar(kind, ())
    assert schema is not None, kind
    return schema


_BARE: Mapping[Any, Any] = {
    list: list[Any],
    typing.List: list[Any],  # noqa: UP006 # what it says
    dict: dict[str, Any],
    typing.Dict: dict[str, Any],  # noqa: UP006
}


def _peel(annotation: Any) -> tuple[Any, list[Any]]:
    """Take ``Annotated``, ``NewType`` and type aliases off; the metadata from the inside out."""
    metadata: list[Any] = []
    while True:
        if typing_objects.is_annotated(typing.get_origin(annotation)):
            metadata = [*annotation.__metadata__, *metadata]
            annotation = annotation.__origin__
        elif typing_objects.is_newtype(annotation):
            annotation = annotation.__supertype__
        elif typing_objects.is_typealiastype(annotation) and annotation is not JsonValue:
            annotation = annotation.__value__
        else:
            return annotation, metadata
