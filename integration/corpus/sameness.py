"""Where two values differ: by their dumps, NaN being equal to itself, and by their models."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence, Set
from typing import Any

from pydantic import BaseModel, TypeAdapter


def difference(sent: Any, received: Any, annotation: Any) -> str | None:
    """The first place where they differ, with both sides; None where they are the same."""
    found = _difference(_dump(annotation, sent), _dump(annotation, received), "")
    return found or _models(sent, received, "")


def _dump(annotation: Any, value: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a model says about values is its own business
        if isinstance(value, BaseModel):
            return BaseModel.model_dump(value)  # not a class's own, which may drop fields
        return TypeAdapter(annotation).dump_python(value)


def _difference(one: Any, other: Any, path: str) -> str | None:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return None if math.isnan(other) else _say(path, one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() != other.keys():
            return _say(f"{path}.keys()", sorted(map(str, one)), sorted(map(str, other)))
        pairs = ((f"{path}.{key}", one[key], other[key]) for key in one)
        return next((found for place, a, b in pairs if (found := _difference(a, b, place))), None)
    if _is_sequence(one) and _is_sequence(other) and len(one) == len(other):
        both = enumerate(zip(one, other, strict=True))
        pairs = ((f"{path}[{index}]", a, b) for index, (a, b) in both)
        return next((found for place, a, b in pairs if (found := _difference(a, b, place))), None)
    if type(one) is not type(other) and not isinstance(one, Sequence | Set):
        return _say(path, one, other)
    return None if one == other else _say(path, one, other)


def _models(one: Any, other: Any, path: str) -> str | None:
    """Where a model of another class is, whose fields are the same."""
    if isinstance(one, BaseModel) or dataclasses.is_dataclass(one):
        if type(one) is not type(other):
            return _say(path, one, other)
        names = vars(one) if hasattr(one, "__dict__") else ()
        pairs = ((f"{path}.{name}", vars(one)[name], vars(other).get(name)) for name in names)
        return next((found for place, a, b in pairs if (found := _models(a, b, place))), None)
    if _is_sequence(one) and _is_sequence(other):
        pairs = ((f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(one, other, strict=True)))
        return next((found for place, a, b in pairs if (found := _models(a, b, place))), None)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        pairs = ((f"{path}.{key}", one[key], other.get(key)) for key in one)
        return next((found for place, a, b in pairs if (found := _models(a, b, place))), None)
    return None


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _say(path: str, one: Any, other: Any) -> str:
    return f"{path.lstrip('.') or 'value'}: sent {_short(one)}, received {_short(other)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
