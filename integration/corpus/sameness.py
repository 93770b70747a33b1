"""Where two values differ: by their dumps, NaN being equal to itself, and by their models.

Or in anything at all: :func:`exact_difference`.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from pydantic import BaseModel, SecretBytes, SecretStr, TypeAdapter
from pydantic_core import PydanticSerializationError


def difference(sent: Any, received: Any, annotation: Any) -> str | None:
    """The first place where they differ, with both sides; None where they are the same."""
    try:
        dumped = _dump(annotation, sent)
    except PydanticSerializationError:  # A serializer of the model's own has no idea of the value.
        return _exact(sent, received, "")
    found = _difference(dumped, _dump(annotation, received), "")
    return found or _models(sent, received, "")


def exact_difference(sent: Any, received: Any, annotation: Any) -> str | None:
    """The first place where they differ in class or content, down to the sign of a zero."""
    return _exact(sent, received, "")


def _exact(one: Any, other: Any, path: str) -> str | None:
    if type(one) is not type(other):
        return _say(path, one, other)
    match one:
        case float():
            same = repr(one) == repr(other)
        case np.ndarray():
            same = _array(one) == _array(other)
        case SecretStr() | SecretBytes():
            same = one.get_secret_value() == other.get_secret_value()
        case BaseModel():
            return _each(vars(one), vars(other), path) or _each(
                one.__pydantic_extra__ or {}, other.__pydantic_extra__ or {}, path
            )
        case Mapping():
            return _each(one, other, path)
        case Sequence() if _is_sequence(one) and len(one) == len(other):
            return _each(dict(enumerate(one)), dict(enumerate(other)), path)
        case Set():
            same = {(type(item), item) for item in one} == {(type(item), item) for item in other}
        case _ if dataclasses.is_dataclass(one):
            return _each(vars(one), vars(other), path)
        case _:
            same = one == other
    return None if same else _say(path, one, other)


def _array(value: Any) -> tuple[Any, ...]:
    return value.dtype, value.shape, value.tobytes()


def _each(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str) -> str | None:
    if one.keys() != other.keys():
        return _say(f"{path}.keys()", sorted(map(str, one)), sorted(map(str, other)))
    return next((d for key in one if (d := _exact(one[key], other[key], f"{path}.{key}"))), None)


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
