"""What tells the alternatives of a union apart where their order does not.

``typing`` keeps one object for equal arguments, and unions are equal in any order: after
``List[int | str]``, ``List[str | int]`` is that same object. Whose order it has depends on which
module was imported first, and may differ between the process that generates a server and the one
that runs it. Such a union's members are told by a sign each: the name of a class, or of a kind.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.fields import FieldInfo
from typing_inspection import typing_objects

from synapse_bridge import hints


def may_be_anothers(annotation: Any) -> bool:
    """Whether ``typing`` or pydantic may have given an object that was made for other arguments.

    They keep what they have made for equal arguments, and unions are equal in any order: after
    ``List[int | str]``, ``List[str | int]`` is that same object.
    """
    if _is_one_of_its_kind(annotation):
        return False
    kept = isinstance(annotation, typing._GenericAlias)  # type: ignore[attr-defined] # not public
    return kept or (isinstance(annotation, type) and hints.is_parametrized(annotation))


def _is_one_of_its_kind(annotation: Any) -> bool:
    """Whether an annotation is equal to itself only, for something in it is (``Field(…)``)."""
    try:
        hash(annotation)
    except TypeError:
        return True
    metadata = getattr(annotation, "__metadata__", ())
    inside = () if isinstance(annotation, type) else typing.get_args(annotation)
    return any(isinstance(item, FieldInfo) for item in metadata) or any(
        _is_one_of_its_kind(argument) for argument in inside
    )


def is_wrapped_anothers(annotation: Any) -> bool:
    """Whether that holds of what stands around a type: ``Annotated``, ``Required`` and kin."""
    while True:
        origin = typing.get_origin(annotation)
        if typing_objects.is_annotated(origin) or hints.is_qualifier(origin):
            if may_be_anothers(annotation):
                return True
            annotation = typing.get_args(annotation)[0]
        elif typing_objects.is_newtype(annotation):
            annotation = annotation.__supertype__
        else:
            return False


OTHER = "other"
"""The sign of everything that has none of its own."""

ANY_OF_THEM = "*"
"""The sign of what stands at several places of the union, which is left to the union."""

WHOLE = "="
"""Begins a sign that only the outermost union is told: what is inside is a class's own affair."""

_KINDS: Mapping[str, str] = {
    **{kind: kind for kind in ("bool", "int", "float", "str", "bytes", "decimal", "uuid", "url")},
    **{kind: kind for kind in ("date", "datetime", "time", "timedelta", "dict", "literal")},
    **{"list": "list", "generator": "list", "deque": "list", "tuple": "tuple"},
    **{"set": "set", "frozenset": "set"},
}
"""The signs of core schemas, by their type."""

_CLASSES = ("model", "dataclass", "dataclass-args", "typed-dict", "named-tuple", "enum")
"""The types of core schemas that are of a class."""

_OUTER: Mapping[str, str] = {
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "default": "schema",
    "nullable": "schema",
    "json-or-python": "python_schema",
}
"""Core schemas that stand around another, with the keyword that holds it."""


def signs(schema: Any, definitions: Mapping[str, Any]) -> frozenset[str]:
    """The signs of an alternative, by its core schema; one that is a union has several."""
    schema = _inner(schema, definitions)
    match schema:
        case {"type": "union", "choices": choices}:
            found = (one[0] if isinstance(one, tuple) else one for one in choices)
            return frozenset().union(*(signs(one, definitions) for one in found))
        case {"type": "tagged-union", "choices": choices}:
            return frozenset().union(*(signs(one, definitions) for one in choices.values()))
        case {"type": "list", "items_schema": items}:
            item = _inner(items, definitions)
            return frozenset({"list", list_of(_sign(item))})
    return frozenset({_sign(schema) or OTHER})


def list_of(item: str | None) -> str:
    """The sign of a list by that of its items, for lists beside lists; of a union there is none."""
    return f"list({item})" if item else "list"


def _sign(schema: Any) -> str | None:
    match schema:
        case {"type": "union" | "tagged-union"}:
            return None
        case {"type": kind, "cls": type() as cls} if kind in _CLASSES:
            generic = getattr(cls, "__pydantic_generic_metadata__", {}).get("origin") or cls
            return f"{generic.__module__}.{generic.__qualname__}"
        case {"type": kind}:
            return _KINDS.get(kind, OTHER)
    raise AssertionError(schema)


def signs_of_class(cls: type) -> frozenset[str]:
    """The signs of a class that tells pydantic its schema."""
    schema: Any = pydantic.TypeAdapter(cls).core_schema
    known = {one["ref"]: one for one in schema.get("definitions", ())}
    return signs(schema["schema"] if known else schema, known)


def is_union(schema: Any, definitions: Mapping[str, Any]) -> bool:
    """Whether an alternative is a union itself."""
    return _inner(schema, definitions)["type"] in ("union", "tagged-union")


def _inner(schema: Any, definitions: Mapping[str, Any]) -> Any:
    while True:
        if schema["type"] == "definition-ref" and schema["schema_ref"] in definitions:
            schema = definitions[schema["schema_ref"]]
        elif schema["type"] == "chain":
            schema = schema["steps"][0]
        elif schema["type"] in _OUTER and "cls" not in schema:
            schema = schema[_OUTER[schema["type"]]]
        elif schema.get("custom_error_type") == "invalid-json-value":
            return _ANYTHING
        else:
            return schema


_ANYTHING: Mapping[str, str] = {"type": "any"}
"""What ``JsonValue`` is, though pydantic makes a union of it."""
