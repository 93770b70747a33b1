"""Annotations that stand as Python source in the configuration."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import annotated_types
import pydantic

from synapse_bridge.markers import BigInt

_NAMES = {
    **{
        name: getattr(typing, name) for name in ("Annotated", "Any", "Literal", "Optional", "Union")
    },
    **{
        name: getattr(annotated_types, name)
        for name in ("Ge", "Gt", "Le", "Lt", "MinLen", "MaxLen")
    },
    "BigInt": BigInt,
    "Field": pydantic.Field,
}
"""What an annotation may name besides what its module has."""


def evaluate(source: str, namespace: Mapping[str, Any]) -> Any:
    """The annotation; whatever the source raises where it is none.

    The configuration is the user's own code, as the module is.
    """
    return eval(source, {**_NAMES, **namespace})
