"""Values that come straight from the wire, which need no second look.

Protobuf reads a number or a text as what it is, so that a validator without constraints finds in it
nothing but what its annotation says; in an embedding that takes it a third of the request's time.
So the validator of a request takes such values as they are, where nothing stands between the wire
and them: no validator of the user's, no alternative, no default that is validated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs


def trusting(schema: CoreSchema) -> CoreSchema:
    """The schema of a request's arguments, trusting the wire; the same object if that changes it
    in nothing.

    What stands in two places keeps its checks, as user code may come before one of them.
    """
    return schema if _asks_for_more(schema) else cast(CoreSchema, _of(schema))


def _of(schema: Any) -> Any:
    match schema:
        case {"type": "bool" | "int" | "float" | "str" | "bytes", **more}:
            return schema if more else cs.any_schema()
        case {"type": "list", "items_schema": inner}:
            return _with(schema, "items_schema", _of(inner))
        case {"type": "dict", "values_schema": inner}:
            return _with(schema, "values_schema", _of(inner))
        case {"fields": dict() as fields}:
            made: Any = {name: _of(field) for name, field in fields.items()}
            return _with(schema, "fields", fields if made == fields else made)
        case {"fields": list() as fields}:
            made = [_of(field) for field in fields]
            return _with(schema, "fields", fields if made == fields else made)
        case {"type": kind, "schema": inner} if kind in _TRANSPARENT:
            return _with(schema, "schema", _of(inner))
    return schema


def _with(schema: Mapping[str, Any], key: str, inner: Any) -> Mapping[str, Any]:
    return schema if inner is schema[key] else {**schema, key: inner}


_TRANSPARENT = frozenset(
    {
        "typed-dict-field",
        "model-field",
        "dataclass-field",
        "model",
        "dataclass",
        "default",
        "nullable",
        "function-after",
        "definitions",
    }
)
"""Schemas that give what comes in to the inner one."""


def _asks_for_more(schema: Any) -> bool:
    """Whether a setting anywhere makes a validator do more than look at a type."""
    match schema:
        case dict():
            return not _MORE.isdisjoint(schema) or any(map(_asks_for_more, schema.values()))
        case list() | tuple():
            return any(map(_asks_for_more, schema))
    return False


_MORE = frozenset(
    {
        "allow_inf_nan",
        "validate_default",
        "str_max_length",
        "str_min_length",
        "str_strip_whitespace",
        "str_to_lower",
        "str_to_upper",
    }
)
