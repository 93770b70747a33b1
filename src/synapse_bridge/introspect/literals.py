"""``Literal`` → enums."""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterable
from typing import Any

from typing_inspection import typing_objects

from synapse_bridge import hints
from synapse_bridge.contract.types import EnumRef, Nullable
from synapse_bridge.introspect.catalogue import LiteralValue
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.refusal import Unsupported


def is_literal(annotation: Any) -> bool:
    """Whether a peeled annotation is a ``Literal``."""
    return typing_objects.is_literal(typing.get_origin(annotation))


def read_literal(annotation: Any, context: Context) -> EnumRef | Nullable:
    """The enum of a ``Literal``."""
    values, nullable = literal_values(annotation)
    if not values:
        raise Unsupported("only None fits it", "leave it out")
    ref = literal_of(values, _alias(annotation, context) or context.free_name(), context)
    return Nullable(ref) if nullable else ref


def literal_of(values: Iterable[LiteralValue], name: str, context: Context) -> EnumRef:
    """The enum of these values, which is called ``name`` in its module."""
    return context.catalogue.literal(tuple(values), context.module, name, context.place)


def literal_values(annotation: Any) -> tuple[list[LiteralValue], bool]:
    """The values of a ``Literal`` in order, and whether ``None`` is one of them."""
    values: list[LiteralValue] = []
    nullable = False
    for value in hints.literal_values(annotation):
        match value:
            case None:
                nullable = True
            case enum.Enum() | str() | int() | bytes():
                values.append(value)
            case _:
                raise Unsupported(
                    f"`Literal[{value!r}]` is neither str, int, bool, bytes nor an Enum's member",
                    "use str values",
                )
    return values, nullable


def _alias(annotation: Any, context: Context) -> str | None:
    """``Mode`` where the module says ``Mode = Literal[…]``."""
    ours = [(type(v), v) for v in typing.get_args(annotation)]
    for name, value in context.catalogue.aliases(context.namespace):
        if is_literal(value) and ours == [(type(v), v) for v in typing.get_args(value)]:
            return name
    return None
