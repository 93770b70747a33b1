"""The serializers of a model's fields, which say what of a field leaves Python.

Introspection reads what they return, and the server runs them; both must see the same. A serializer
for JSON alone is none of ours, and neither is that of a whole model: what travels are fields.
"""

from __future__ import annotations

import contextlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional, Union

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_WHEN = ("always", "unless-none")


@dataclass(frozen=True, slots=True)
class Serializer:
    """The serializer of a field: its name, and what it says that it returns.

    ``returns`` is an annotation, or ``None`` where it does not say. ``keeps_none``: it never sees
    ``None``, which stays what it is.
    """

    name: str
    returns: Any | None
    keeps_none: bool

    @property
    def hint(self) -> Any:
        """The annotation of what travels; only where the serializer says what it returns."""
        return Optional[self.returns] if self.keeps_none else self.returns  # noqa: UP045 # any hint


def serializers(cls: type) -> dict[str, Serializer]:
    """The serializers of a model's fields, by field; empty where the model has one of its own."""
    if not issubclass(cls, pydantic.BaseModel) or cls.__pydantic_decorators__.model_serializers:
        return {}
    decorators, infos = cls.__pydantic_decorators__, cls.model_fields
    found = {name: one for name, info in infos.items() for one in _in_annotation(info)}
    for decorator in decorators.field_serializers.values():
        info = decorator.info
        if info.when_used in _WHEN:
            made = _serializer(decorator.func, info.return_type, info.when_used)
            names = infos if "*" in info.fields else info.fields
            found |= {name: made for name in names if name in infos}
    return found


def serialized(value: Any, name: str) -> Any:
    """What the serializer of a field makes of it."""
    made = value.__pydantic_serializer__.to_python(value, include={name}, by_alias=False)
    return made[name]


def _in_annotation(info: FieldInfo) -> Iterator[Serializer]:
    if found := next(_inside(info.annotation), None):
        with contextlib.suppress(_NotPlain):
            yield Serializer(found, _as_plain(info.annotation), keeps_none=False)
    for item in info.metadata:
        if _makes_schema(item) and (plain := _plain(info)) is not None:
            yield Serializer(_name(item), plain, keeps_none=False)
        known = isinstance(item, pydantic.PlainSerializer | pydantic.WrapSerializer)
        if known and item.when_used in _WHEN:
            yield _serializer(item.func, item.return_type, item.when_used)


def _makes_schema(item: Any) -> bool:
    """Whether metadata makes a schema of its own, and by it another value than the annotation's."""
    if isinstance(item, pydantic.EncodedBytes | pydantic.EncodedStr):
        return True
    cls = item if isinstance(item, type) else type(item)
    own = cls.__module__.partition(".")[0] not in ("pydantic", "annotated_types", "synapse_bridge")
    return own and hasattr(item, "__get_pydantic_core_schema__")


class _NotPlain(Exception):
    """Something is in an annotation that its dump would make another thing."""


def _inside(annotation: Any) -> Iterator[str]:
    """The names of what makes a schema of its own within a container or a union."""
    for argument in typing.get_args(annotation):
        if typing.get_origin(argument) is Annotated:
            yield from (_name(item) for item in argument.__metadata__ if _makes_schema(item))
            argument = argument.__origin__
        yield from _inside(argument)


def _as_plain(annotation: Any) -> Any:
    """The annotation with the plain type in the place of what makes a schema of its own."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        if any(map(_makes_schema, annotation.__metadata__)):
            if (plain := _plain(FieldInfo.from_annotation(annotation))) is None:
                raise _NotPlain
            return plain
        _as_plain(annotation.__origin__)
        return annotation
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_as_plain, arguments))]  # noqa: UP007 # any number
    if origin in (list, dict, set, frozenset):
        return origin[tuple(map(_as_plain, arguments))]
    if annotation not in (*_PLAIN.values(), bytes, types.NoneType):
        raise _NotPlain
    return annotation


def _name(item: Any) -> str:
    return str(getattr(item, "__name__", type(item).__name__))


def _plain(info: FieldInfo) -> type | None:
    """The type that a field's schema takes and gives, where it is a plain one."""
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(info.rebuild_annotation())
        takes = adapter.json_schema(mode="validation").get("type")
        gives = adapter.json_schema(mode="serialization").get("type")
    except Exception:  # A schema is made by code of its own.
        return None
    if info.annotation is bytes:
        return bytes  # JSON has text for it
    return _PLAIN.get(gives) if takes == gives else None


_PLAIN: Mapping[Any, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


def _serializer(function: Callable[..., Any], returns: Any, when_used: str) -> Serializer:
    inner = getattr(function, "__func__", function)
    if returns is PydanticUndefined:
        returns = _returned(inner)
    name = getattr(inner, "__name__", type(inner).__name__)
    return Serializer(name, returns, when_used == "unless-none")


def _returned(function: Any) -> Any | None:
    """The annotation of what a function returns; ``None`` where there is none to read."""
    if isinstance(function, type):
        return function
    try:
        annotated = function if inspect.isroutine(function) else type(function).__call__
        hints = typing.get_type_hints(annotated, include_extras=True)
    except Exception:  # a builtin, or an annotation that cannot be evaluated
        return None
    return hints.get("return")
