"""Types that travel as others: by their own pydantic schema, or as the configuration says."""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import sys
from collections.abc import Mapping
from typing import Any

import pydantic

from synapse_bridge.contract.model import Annotation
from synapse_bridge.contract.types import Custom, Nullable, Scalar, ScalarKind, TupleOf, Type
from synapse_bridge.introspect.overrides import Overridden
from synapse_bridge.introspect.refusal import Unsupported

_JSON: Mapping[str, ScalarKind] = {
    "string": "string",
    "integer": "int64",
    "number": "double",
    "boolean": "bool",
}
"""The kinds that a class may take and give, by JSON Schema's names."""

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
    _check_reachable(cls)
    every = functools.reduce(operator.or_, cls, cls(0)).value
    if every >= 2**63:
        raise Unsupported(f"`{cls.__qualname__}` has more than 63 flags", "divide it")
    return Custom(name=_name(cls), module=cls.__module__, inner=Scalar("int64"), via="flag")


def adapted(cls: type) -> Custom | None:
    """A class that pydantic reads from and writes to a plain value; ``None`` where it does not.

    What it takes and gives is told by its JSON Schemas. That nothing is lost on the way there and
    back is checked for each value that is sent.
    """
    is_model = issubclass(cls, pydantic.BaseModel) or dataclasses.is_dataclass(cls)
    if is_model or not hasattr(cls, "__get_pydantic_core_schema__"):
        return None
    if cls in _REFUSED:
        reason, instead = _REFUSED[cls]
        raise Unsupported(f"`{cls.__qualname__}` {reason}", instead)
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(cls)
        takes = _plain_types(adapter.json_schema(mode="validation"))
        (given,) = _plain_types(adapter.json_schema(mode="serialization"))
    except Exception:
        # A schema is made by the class's own code; without one there is nothing to go by.
        return None
    if given not in takes or given not in _JSON:
        return None
    _check_reachable(cls)
    inner = Scalar(_JSON[given])
    return Custom(name=_name(cls), module=cls.__module__, inner=inner, via="schema")


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


def _plain_types(schema: Mapping[str, Any]) -> set[str]:
    choices = schema.get("anyOf", [schema])
    return {str(choice.get("type")) for choice in choices}


def _check_reachable(cls: type) -> None:
    """Generated code has to reach a class by its name."""
    found: object = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        raise Unsupported(
            f"its class cannot be reached as `{_name(cls)}`",
            "define the class at the top of its module, under its own name",
        )


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
