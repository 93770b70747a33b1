"""The fields of generic models that hold themselves: ``Tree[int]`` with its ``list[Tree[int]]``.

While pydantic makes such a class, it does not exist yet, and so its fields name it by a text. Here
they name the class.
"""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_inspection import typing_objects


def fields_of_model(cls: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The fields of a model by name, as ``model_fields`` but for places that stand for a class."""
    fields = cls.model_fields
    if not any(_stands_for(info.annotation) for info in fields.values()):
        return fields
    return {name: _named(info) for name, info in fields.items()}


def _named(info: FieldInfo) -> FieldInfo:
    named = copy.copy(info)
    named.annotation = _replaced(info.annotation)
    return named


def _stands_for(annotation: Any) -> bool:
    """Whether there is a text for a class in an annotation."""
    if isinstance(annotation, type):
        return False
    return _reference(annotation) is not None or any(
        _stands_for(argument) for argument in typing.get_args(annotation)
    )


def _reference(annotation: Any) -> str | None:
    found = type(annotation).__name__ == "PydanticRecursiveRef"
    return annotation.type_ref if found else None


def _replaced(annotation: Any) -> Any:
    reference = _reference(annotation)
    if reference is not None:
        return next(_classes(reference, BaseModel), annotation)
    if not _stands_for(annotation):
        return annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if typing_objects.is_annotated(origin):
        first, *metadata = arguments
        return typing.Annotated[(_replaced(first), *metadata)]
    replaced = tuple(map(_replaced, arguments))
    if origin in (typing.Union, types.UnionType):
        return typing.Union[replaced]  # noqa: UP007 - made at run time
    return origin[replaced]


def _classes(reference: str, base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The class that pydantic calls so: by its origin and its arguments, and the places of all."""
    for cls in base.__subclasses__():
        metadata = cls.__pydantic_generic_metadata__
        origin = metadata["origin"]
        if origin is not None:
            name = f"{origin.__module__}.{origin.__qualname__}:{id(origin)}["
            places = [f":{id(argument)}" for argument in metadata["args"]]
            if reference.startswith(name) and all(place in reference for place in places):
                yield cls
        yield from _classes(reference, cls)
