"""What instances of the user's classes hold, as far as it goes to the wire.

Attributes are read, and nothing of the user's is called but properties: computed fields are some.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from synapse_bridge import hints
from synapse_bridge.generic_models import fields_of_model
from synapse_bridge.serializers import serialized, serializers
from synapse_bridge.serve.path import HIDDEN

EXTRA = HIDDEN
"""The key of what a model holds besides its fields."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a class with their annotations and metadata, and how to read an instance.

    ``optional`` ones may be absent; ``extra`` is the type of what is there besides, or ``None``.
    ``by_value``: enums are held as their values. ``in_dict`` is the class whose own instances, not
    those of subclasses, hold in their ``__dict__`` all that travels.
    """

    annotations: Mapping[str, tuple[Any, Iterable[Any]]]
    read: Callable[[Any], Mapping[str, Any]]
    optional: frozenset[str] = frozenset()
    extra: Any | None = None
    by_value: bool = False
    in_dict: type | None = None
    is_typed_dict: bool = False


def fields_of(annotation: Any) -> Fields | None:
    """The fields of a class, perhaps with arguments; ``None`` where it has none that we know."""
    cls = hints.class_of(annotation)
    if cls is None:
        return None
    if issubclass(cls, BaseModel):
        return _model(cls)
    if hints.is_typed_dict(cls):
        return _typed_dict(annotation, cls)
    if dataclasses.is_dataclass(cls):
        found, fields = hints.hints(annotation), dataclasses.fields(cls)
        annotations = {field.name: (found[field.name], [field.default]) for field in fields}
        read = _reader(cls, annotations.keys(), {})
        return Fields(annotations, read, in_dict=_in_dict(cls, annotations))
    if hints.is_named_tuple(cls):
        annotations = {name: (hint, []) for name, hint in hints.hints(annotation).items()}
        return Fields(annotations, _reader(cls, annotations.keys(), {}))
    return None


def extra(value: Any) -> Mapping[str, Any]:
    """What a model holds besides its fields."""
    return getattr(value, "__pydantic_extra__", None) or {}


def _model(cls: type[BaseModel]) -> Fields:
    annotations: dict[str, tuple[Any, Iterable[Any]]] = {
        name: (info.annotation, hints.metadata_of(info))
        for name, info in fields_of_model(cls).items()
    }
    computed = hints.computed_hints(cls)
    read = _reader(cls, annotations.keys(), computed)
    annotations |= {name: (hint, ()) for name, hint in computed.items()}
    made = serializers(cls)
    annotations |= {n: (one.hint, ()) for n, one in made.items() if one.returns is not None}
    extra, in_dict = hints.extra_hint(cls), _in_dict(cls, annotations)
    if made:
        read, in_dict = _serializing(read, made), None
    by_value = bool(cls.model_config.get("use_enum_values"))
    return Fields(annotations, read, extra=extra, by_value=by_value, in_dict=in_dict)


def _serializing(
    read: Callable[[Any], Mapping[str, Any]], names: Iterable[str]
) -> Callable[[Any], Mapping[str, Any]]:
    """Reads what travels: some fields are what their serializers make of them."""

    def attributes(value: Any) -> Mapping[str, Any]:
        found = read(value)
        return {**found, **{name: serialized(value, name) for name in names if name in found}}

    return attributes


def _typed_dict(annotation: Any, cls: Any) -> Fields:
    annotations: dict[str, tuple[Any, Iterable[Any]]] = {
        name: (hint, []) for name, hint in hints.hints(annotation).items()
    }
    optional = hints.optional_keys(cls)
    return Fields(annotations, lambda value: value, optional, is_typed_dict=True)


def _reader(
    cls: type, names: Iterable[str], computed: Mapping[str, Any]
) -> Callable[[Any], Mapping[str, Any]]:
    """Reads the attributes of instances of ``cls``, and of subclasses that hold no more than it."""
    fields, known = frozenset(names), frozenset({*names, *computed})
    in_dict = _in_dict(cls, known)
    takes_extra = _takes_extra(cls)
    # pydantic makes a class for each list of a generic model's arguments, and two of them for one
    # that it cannot hash. What an instance holds is checked by the arguments that are asked for.
    generic = _generic(cls)

    def attributes(value: Any) -> Mapping[str, Any]:
        if type(value) is in_dict:
            return vars(value)
        if not isinstance(value, cls) and _generic(type(value)) is not generic:
            raise PydanticCustomError(
                "is_instance_of", "Input should be an instance of {class}", {"class": cls.__name__}
            )
        more = _field_names(type(value)) - fields
        if not takes_extra:
            more |= extra(value).keys()
        if more:
            raise PydanticCustomError(
                "is_exact_instance_of",
                "Input should be an instance of {class} itself, a subclass would lose {more}",
                {"class": cls.__name__, "more": ", ".join(sorted(more))},
            )
        found = {name: getattr(value, name) for name in known if hasattr(value, name)}
        return {**found, EXTRA: extra(value)} if takes_extra else found

    return attributes


def _in_dict(cls: type, names: Iterable[str]) -> type | None:
    """``cls`` if what its instances hold is in their dicts; slots and properties are not."""
    if _takes_extra(cls) or issubclass(cls, tuple) or hints.computed_hints(cls):
        return None
    found = (inspect.getattr_static(cls, name, None) for name in names)
    return None if any(map(inspect.isdatadescriptor, found)) else cls


def _takes_extra(cls: type) -> bool:
    return issubclass(cls, BaseModel) and cls.model_config.get("extra") == "allow"


def _generic(cls: type) -> Any:
    """The generic model that a class fills in, or is; any other class is itself."""
    return getattr(cls, "__pydantic_generic_metadata__", {}).get("origin") or cls


def _field_names(cls: Any) -> set[str]:
    if issubclass(cls, BaseModel):
        return {*cls.model_fields}
    if dataclasses.is_dataclass(cls):
        return {field.name for field in dataclasses.fields(cls)}
    return {*cls._fields}
