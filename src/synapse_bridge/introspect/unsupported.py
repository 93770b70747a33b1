"""Why an annotation is refused, and what to write instead: one row for each kind of it."""

from __future__ import annotations

import collections.abc as abc
import fractions
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

import pydantic
from typing_inspection import typing_objects

from synapse_bridge import hints
from synapse_bridge.introspect.refusal import Unsupported

_LIST = "write `list[…]`"
_TEXT = "write `str`, and convert in the function"
_MAPPED = "or map the class to another type in the configuration's `types`"
_STREAM = "a stream is a whole result or a whole parameter; else write `list[…]`"
_SHAPE = "name what it holds: a scalar type, `list[…]`, `dict[str, …]` or a model"

_INSTEAD: Mapping[Any, str] = {
    memoryview: "write `bytes`",
    type: "pass a `str` or an `Enum` that says which class is meant",
    complex: "write a model with two floats",
    types.NoneType: "leave it out; only a result may be `None`",
    fractions.Fraction: _TEXT,
    re.Pattern: _TEXT,
    pydantic.BaseModel: "name the model that it is",
    abc.Collection: _LIST,
    abc.Iterator: _STREAM,
    abc.Generator: _STREAM,
    abc.AsyncIterator: _STREAM,
    abc.AsyncIterable: _STREAM,
    abc.AsyncGenerator: _STREAM,
    abc.Callable: "pass the data that the callable would need",
    abc.Awaitable: "write `async def` with the plain result type",
    abc.Coroutine: "write `async def` with the plain result type",
    typing.LiteralString: "write `str`",
}
_BASES: tuple[tuple[type, str, str], ...] = (
    (BaseException, "is an exception", "raise it instead"),
    (str, "is a kind of str", f"write `str`, and convert in the function; {_MAPPED}"),
    (int, "is a kind of int", f"write `int`, and convert in the function; {_MAPPED}"),
    (float, "is a kind of float", f"write `float`, and convert in the function; {_MAPPED}"),
    (bytes, "is a kind of bytes", f"write `bytes`, and convert in the function; {_MAPPED}"),
)


def explain(annotation: Any) -> Unsupported:
    """The error for an annotation that no type of the contract stands for."""
    shown = text(annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin in (typing.NoReturn, typing.Never):
        return Unsupported("a function that never returns has no result", "write `None`")
    if (instead := _INSTEAD.get(_hashable(origin))) is not None:
        return Unsupported(f"{shown} is not supported", instead)
    if isinstance(origin, type):
        for base, reason, instead in _BASES:
            if issubclass(origin, base):
                return Unsupported(f"{shown} {reason}", instead)
        if hasattr(origin, "__attrs_attrs__"):
            return Unsupported(
                f"{shown} is an attrs class, of which pydantic knows no schema",
                f"write a dataclass or a BaseModel; {_MAPPED}",
            )
        if typing.get_args(annotation) or _is_generic(origin):
            return Unsupported(
                f"{shown} is generic", "write a class of its own with the types filled in"
            )
        return Unsupported(
            f"{shown} is neither a BaseModel nor a dataclass",
            f"write one with the data that it holds, or a scalar type; {_MAPPED}",
        )
    if typing_objects.is_forwardref(annotation) or isinstance(annotation, str):
        return Unsupported(f"{shown} cannot be resolved", "import or define the name in its module")
    return Unsupported(f"{shown} is not supported", _SHAPE)


def _is_generic(cls: type) -> bool:
    """Whether a class has type parameters, open or filled in."""
    generic = getattr(cls, "__pydantic_generic_metadata__", None) or {}
    return bool(generic.get("origin") or getattr(cls, "__parameters__", ()))


def text(annotation: Any) -> str:
    """An annotation for a person, in backticks: `datetime`, `list[int]`."""
    return f"`{hints.text(annotation)}`"


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return None
    return value
