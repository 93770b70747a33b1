"""Exact checks of results, before they go to the wire.

Protobuf's constructors are lenient: ``None`` means "unset", ``2`` is a ``bool``, ``b"x"`` is a
``str``, ``"abc"`` is three strings for a ``list[str]``. A result must never change in silence, so
it is checked against the function's return annotation first, deeply and strictly.

The check is a pydantic-core validator that is made from the annotation's *structure* alone: it
looks at types and reads attributes. Validators, serializers and ``__post_init__`` of the user's
classes are not part of it, and its output is dropped, so that checking a value cannot change it.
"""

from __future__ import annotations

import collections
import collections.abc as abc
import enum
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import RootModel
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator
from pydantic_core import core_schema as cs
from typing_inspection import typing_objects

from synapse_bridge import hints
from synapse_bridge.generic_models import fields_of_model
from synapse_bridge.serve.alternatives import Alternatives
from synapse_bridge.serve.custom import Custom, Types
from synapse_bridge.serve.exact_scalars import ANY, scalar
from synapse_bridge.serve.held import EXTRA, Fields, fields_of
from synapse_bridge.serve.path import HIDDEN
from synapse_bridge.serve.quick import IN_DICT, LOOKS


@dataclass(frozen=True, slots=True)
class Check:
    """``check(value)`` raises pydantic's ``ValidationError`` where the value does not fit.

    ``recursive`` tells that values of the type can nest without limit. It is made from ``schema``.
    """

    check: Callable[[Any], Any]
    recursive: bool
    schema: CoreSchema


def checker(annotation: Any, types: Types | None = None) -> Check:
    """The check for values of an annotation, which is resolved and may be ``Annotated``.

    ``types`` are those of the service.

    What the bridge has no type for is let through: introspection refuses such annotations, except
    where the configuration names another type for them.
    """
    schemas = _Schemas(types or Types())
    return schemas.check(schemas.of(annotation))


def members_checker(annotations: Mapping[str, Any], types: Types) -> Check:
    """The check of a dict of values, each by its annotation; one that is absent does not fit."""
    schemas = _Schemas(types)
    members = {name: cs.typed_dict_field(schemas.of(hint)) for name, hint in annotations.items()}
    return schemas.check(cs.typed_dict_schema(members))


class _Schemas:
    """Makes schemas; one definition for each class and alias, so that recursion comes to an end."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self.definitions: dict[Any, CoreSchema] = {}
        self.recursive = False
        self._open: list[Any] = []

    def check(self, schema: CoreSchema) -> Check:
        """The check that a schema makes, with all that it refers to."""
        if self.definitions:
            schema = cs.definitions_schema(schema, list(self.definitions.values()))
        return Check(SchemaValidator(schema).validate_python, self.recursive, schema)

    def of(
        self, annotation: Any, metadata: Iterable[Any] = (), *, by_value: bool = False
    ) -> CoreSchema:
        """The schema of an annotation. ``by_value``: enums are held as their values."""
        if isinstance(annotation, Custom):
            return annotation.schema(self.of)
        annotation, inner = hints.peel_to_alias(annotation)
        metadata = [*inner, *metadata]
        if hints.is_alias(annotation):
            value = hints.alias_value(annotation)
            return self._define(annotation, lambda: self.of(value, metadata, by_value=by_value))
        if custom := self._types.of_class(annotation):
            return custom.schema(self.of)
        one = scalar(annotation, metadata, naive_is_utc=self._types.naive_is_utc)
        if one is not None:
            self.recursive |= one is ANY
            return one
        if (container := hints.container(annotation)) is not None:
            return self._container(container, by_value)
        if hints.is_union(annotation):
            return self._union(annotation, metadata, by_value)
        if typing_objects.is_literal(typing.get_origin(annotation)):
            return _literal(hints.literal_values(annotation), by_value)
        cls = hints.class_of(annotation)
        if cls is None:
            return cs.any_schema()
        if issubclass(cls, enum.Enum):
            return cs.enum_schema(cls, list(cls), strict=not by_value)
        if issubclass(cls, RootModel):
            return self._define(cls, lambda: self._root(cls))
        fields = fields_of(annotation)
        if fields is None:
            return cs.any_schema()
        return self._define(annotation, lambda: self._fields(cls, fields))

    def _define(self, what: Any, make: Callable[[], CoreSchema]) -> CoreSchema:
        ref = f"{what!r}:{id(what)}"
        if ref in self._open:
            self.recursive = True
        elif ref not in self.definitions:
            self._open.append(ref)
            made = make()
            if made["type"] == "definition-ref":  # A definition cannot be another one.
                made = cs.chain_schema([made])
            self.definitions[ref] = typing.cast(CoreSchema, {**made, "ref": ref})
            self._open.pop()
        return cs.definition_reference_schema(ref)

    # Classes

    def _root(self, cls: type[RootModel[Any]]) -> CoreSchema:
        info = fields_of_model(cls)["root"]

        def root(value: Any) -> Any:
            _instance(value, cls)
            return value.root

        return cs.no_info_before_validator_function(
            root, self.of(info.annotation, hints.metadata_of(info))
        )

    def _fields(self, cls: type, fields: Fields) -> CoreSchema:
        members = {}
        for name, (annotation, metadata) in fields.annotations.items():
            if custom := self._types.of_field(cls, name):
                schema = custom.schema(self.of)
            else:
                schema = self.of(annotation, metadata, by_value=fields.by_value)
            members[name] = cs.typed_dict_field(schema, required=name not in fields.optional)
        if fields.extra is not None:
            members[EXTRA] = cs.typed_dict_field(self.of(dict[str, fields.extra]))  # type: ignore[name-defined]
        if fields.is_typed_dict:
            return cs.typed_dict_schema(members, strict=True, extra_behavior="forbid")
        made = cs.typed_dict_schema(members)
        about = {IN_DICT: fields.in_dict} if fields.in_dict else None
        return cs.no_info_before_validator_function(fields.read, made, metadata=about)

    # Containers

    def _container(self, container: hints.Container, by_value: bool) -> CoreSchema:
        match container:
            case hints.ListHint("list", item):
                made = cs.list_schema(self.of(item, by_value=by_value), strict=True)
                return _floats(made) if item is float else made
            case hints.ListHint(kind, item) | hints.SetHint(kind, item):
                inner = cs.list_schema(self.of(item, by_value=by_value), strict=True)
                return cs.no_info_before_validator_function(_items(_CONTAINERS[kind]), inner)
            case hints.TupleHint(items):
                of = [self.of(item, by_value=by_value) for item in items]
                return cs.tuple_schema(of, strict=True)
            case hints.MapHint(kind, key, value):
                return self._map(kind, self.of(key), self.of(value, by_value=by_value))

    def _map(self, kind: str, key: CoreSchema, value: CoreSchema) -> CoreSchema:
        of = _CONTAINERS[kind]
        if not _refers(key):
            made = cs.dict_schema(key, value, strict=True)
            return made if kind == "dict" else cs.no_info_before_validator_function(_dict(of), made)
        # The check of an object gives a dict, which is no key.
        pairs = cs.list_schema(cs.tuple_schema([key, value]))
        return cs.no_info_before_validator_function(_pairs(of), pairs)

    # Unions

    def _union(self, annotation: Any, metadata: Iterable[Any], by_value: bool) -> CoreSchema:
        found = hints.alternatives(annotation, metadata)
        members = [one.annotation for one in found.members]
        if len(members) == 1:
            made = self.of(members[0], metadata, by_value=by_value)
        else:
            made = self._alternatives(members, by_value)
        return cs.nullable_schema(made) if found.nullable else made

    def _alternatives(self, members: list[Any], by_value: bool) -> CoreSchema:
        """Where a value's class tells its alternative, the errors are those of that one."""
        schemas = [self.of(member, by_value=by_value) for member in members]
        kinds = Alternatives(members)
        names = " or ".join(map(hints.text, members))
        any_one = cs.union_schema(
            list(schemas),
            mode="left_to_right",
            custom_error_type="exact_union",
            custom_error_message="Input should be {names}",
            custom_error_context={"names": names},
        )
        choices = {f"{HIDDEN}{index}": schema for index, schema in enumerate(schemas)}

        def choose(value: Any) -> str:
            only = kinds.only(value)
            return HIDDEN if only is None else f"{HIDDEN}{only}"

        return cs.tagged_union_schema({**choices, HIDDEN: any_one}, choose)


_CONTAINERS: Mapping[str, type | tuple[type, ...]] = {
    "tuple": tuple,
    "deque": collections.deque,
    "Sequence": abc.Sequence,
    "Iterable": abc.Collection,
    "set": set,
    "frozenset": frozenset,
    "Set": abc.Set,
    "dict": dict,
    "Mapping": abc.Mapping,
    "defaultdict": collections.defaultdict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
}
"""The class that a container has to be of. Iterators are none: they can be read only once."""


def _instance(value: Any, of: Any) -> None:
    """Refuse what is no instance. Text is a sequence of itself, and a mapping one of its keys."""
    plain = of in (abc.Sequence, abc.Collection)
    if not isinstance(value, of) or (plain and isinstance(value, _NO_ITEMS)):
        name = {"class": of.__name__}
        raise PydanticCustomError("is_instance_of", "Input should be an instance of {class}", name)


_NO_ITEMS = (str, bytes, bytearray, memoryview, abc.Mapping)


def _floats(schema: CoreSchema) -> CoreSchema:
    """The check of a list of floats, which may be an embedding: most hold nothing else.

    The general check of a float, which may be an integer, takes twice as long.
    """

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        return value if _ALL_FLOATS(value) else handler(value)

    return cs.no_info_wrap_validator_function(check, schema, metadata={LOOKS: True})


_ALL_FLOATS = SchemaValidator(
    cs.list_schema(cs.is_instance_schema(float), strict=True)
).isinstance_python


def _items(of: Any) -> Callable[[Any], list[Any]]:
    def items(value: Any) -> list[Any]:
        _instance(value, of)
        return list(value)

    return items


def _dict(of: Any) -> Callable[[Any], dict[Any, Any]]:
    def entries(value: Any) -> dict[Any, Any]:
        _instance(value, of)
        return dict(value)

    return entries


def _refers(schema: Any) -> bool:
    """Whether there is a class in a schema, at whatever depth."""
    match schema:
        case {"type": "definition-ref"}:
            return True
        case dict():
            return any(map(_refers, schema.values()))
        case list() | tuple():
            return any(map(_refers, schema))
    return False


def _pairs(of: Any) -> Callable[[Any], list[Any]]:
    def pairs(value: Any) -> list[Any]:
        _instance(value, of)
        return list(value.items())

    return pairs


def _literal(values: Iterable[Any], by_value: bool) -> CoreSchema:
    """One of ``values`` and of its type: to a plain ``==``, 1 is True."""
    by_type: dict[type, list[Any]] = {}
    for value in values:
        by_type.setdefault(type(value), []).append(value)
        if by_value and isinstance(value, enum.Enum):
            by_type.setdefault(type(value.value), []).append(value.value)
    choices: list[CoreSchema | tuple[CoreSchema, str]] = [
        cs.chain_schema([_of_type(kind), cs.literal_schema(same)]) for kind, same in by_type.items()
    ]
    return cs.union_schema(choices)


def _of_type(kind: type) -> CoreSchema:
    if issubclass(kind, enum.Enum):
        return cs.is_instance_schema(kind)
    schema = scalar(kind, ())
    assert schema is not None, kind
    return schema
