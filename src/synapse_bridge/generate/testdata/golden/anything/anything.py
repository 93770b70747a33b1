"""Values of which nothing is known."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, JsonValue


class Anything(BaseModel):
    value: Any
    thing: object = None
    document: JsonValue = "text"
    maybe: Any | None = 5
    items: list = []
    data: dict = {}
    values: list[Any] = []
    by_name: dict[str, Any] = {}
    nested: dict[str, list[JsonValue]] = {}
    computed: Any = 1.5


EXAMPLES = [
    Anything(value=None),
    Anything(
        value=[None, True, False, 0, -(2**63), 2**63, -(10**30), 1.0, math.inf, "", b"", [], {}],
        thing={"a": {"b": [{"c": None}]}},
        document={"a": [1, "x", None, 2.5, True]},
        maybe=None,
        items=[1, "a", b"\xff"],
        data={"": 0, "é": [1]},
        values=[2**64 - 1],
        by_name={"a": -0.0},
        nested={"a": [1, [2]]},
        computed={"x": 5e-324},
    ),
]


def describe(value: Any, hint: object = None) -> str:
    """What it is."""
    return f"{type(value).__name__} {hint}"


def merge(left: dict, right: dict[str, Any]) -> dict:
    """Both, the right one over the left one."""
    return {**left, **right}


def flatten(items: list) -> list[JsonValue]:
    """All items."""
    return items


def parse(text: str) -> JsonValue:
    """The value of some JSON."""
    return text


def echo(value: Anything) -> Anything:
    """Returns it."""
    return value
