"""Types that travel as others: by their own pydantic schema, or as the configuration says."""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.errors import PydanticInvalidForJsonSchema

from synapse_bridge.contract.model import Annotation
from synapse_bridge.contract.types import Custom, Nullable, Scalar, ScalarKind, TupleOf, Type
from synapse_bridge.introspect.overrides import Overridden
from synapse_bridge.introspect.reach import check_reachable, qualified, reached
from synapse_bridge.introspect.refusal import Unsupported

_JSON: Mapping[str, ScalarKind] = {
    "string": "string",
    "integer": "int64",
    "number": "double",
    "boolean": "bool",
}
"""The kinds that a class may take and give, by JSON Schema's names."""

_BASES: Mapping[type, str] = {str: "string", int: "integer", float: "number"}
"""What pydantic writes instances of subclasses as, where nothing says otherwise."""

_ANYTHING = ""
"""The type of a JSON Schema that names none."""

_REFUSED: Mapping[type, tuple[str, str]] = {
    pydantic.ImportString: (
        "lets a caller have any module of the server imported",
        "take a `str` or an `Enum`, and look up in the function what it stands for",
    ),
    pydantic.Json: (
        "is text to callers and another value to the function",
        "annotate the value itself",
    ),
}


def flags(cls: type[enum.Flag]) -> Custom:
    """An ``enum.Flag`` as the number of its bits."""
    check_reachable(cls)
    every = functools.reduce(operator.or_, cls, cls(0)).value
    if every >= 2**63:
        raise Unsupported(f"`{cls.__qualname__}` has more than 63 flags", "divide it")
    return Custom(name=qualified(cls), module=cls.__module__, inner=Scalar("int64"), via="flag")


def adapted(cls: type) -> Custom | None:
    """A class that pydantic reads from and writes to JSON; ``None`` where it does not.

    What it takes and gives is told by its JSON Schemas: a plain value, or anything, which travels
    as what its JSON is. That nothing is lost on the way there and back is checked for each value
    that is sent.
    """
    is_model = issubclass(cls, pydantic.BaseModel) or dataclasses.is_dataclass(cls)
    if is_model or not hasattr(cls, "__get_pydantic_core_schema__"):
        return None
    if cls in _REFUSED:
        reason, instead = _REFUSED[cls]
        raise Unsupported(f"`{cls.__qualname__}` {reason}", instead)
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(cls)
        takes = _types(adapter.json_schema(mode="validation"))
        gives = _gives(cls, adapter)
    except Exception:
        # A schema is made by the class's own code; without one there is nothing to go by.
        return None
    kind = _kind(takes, gives)
    # Without a word of how it is written, what takes anything may hold a live object.
    if kind is None or (_ANYTHING in gives and "serialization" not in adapter.core_schema):
        return None
    check_reachable(cls)
    return Custom(name=qualified(cls), module=cls.__module__, inner=Scalar(kind), via="schema")


def _gives(cls: type, adapter: pydantic.TypeAdapter[Any]) -> set[str]:
    """The JSON types that its values become."""
    try:
        return _types(adapter.json_schema(mode="serialization"))
    except PydanticInvalidForJsonSchema:
        # Its schema does not say, as when a function makes the value: then its class decides.
        return {json for base, json in _BASES.items() if issubclass(cls, base)}


def _kind(takes: set[str], gives: set[str]) -> ScalarKind | None:
    if not gives or not (gives <= takes or _ANYTHING in takes | gives):
        return None
    (given, *others) = gives
    if others or given not in _JSON:
        return "any"
    return _JSON[given] if given in takes else None


def overridden(given: Overridden, inner: Type, *, is_class: bool) -> Custom:
    """A class or place that the configuration maps to ``inner``."""
    if isinstance(inner, Nullable | TupleOf):
        raise Unsupported(
            f"the configuration ({given.override.place(given.name)}) has it travel as "
            f"`{given.override.annotation}`, which is not one value",
            "name a scalar type, a model, a list or a dict",
        )
    override = given.override
    return Custom(
        name=given.name,
        module=given.module,
        inner=inner,
        via="converters" if override.to_wire else "annotation",
        source=override.annotation,
        to_wire=override.to_wire,
        from_wire=override.from_wire,
        elixir=override.elixir,
        is_class=is_class,
    )


def placed(
    given: Overridden | None, type_: Type, is_stream: bool = False
) -> tuple[Type, Annotation | None]:
    """The type of a field, parameter or result, and what the server is told of its annotation."""
    if given is None:
        return type_, None
    if is_stream:
        if given.override.converts:
            raise Unsupported("the items of a stream have no converters", "map their class instead")
        return type_, None
    if given.override.converts:
        return overridden(given, type_, is_class=False), None
    return type_, Annotation(given.override.annotation, given.module)


def _types(schema: Mapping[str, Any]) -> set[str]:
    choices = schema.get("anyOf", [schema])
    return {str(choice.get("type", _ANYTHING)) for choice in choices}


def class_of(custom: Custom) -> Any:
    """The class that a custom type is about, found by its name; ``None`` where it has none."""
    return reached(custom.module, custom.name.removeprefix(f"{custom.module}."))
