"""Documentation as data: text that users wrote, made safe to stand in a generated file.

A docstring may hold anything. Here it becomes lines of visible characters; what a line must not
hold in one language (quotes, backslashes) is the business of that language's emitter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from synapse_bridge.contract import (
    Constraints,
    Custom,
    ListOf,
    MapOf,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    Type,
)

_BREAKS = {"\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"}
_MARKS = {
    "ge": "≥ {}",
    "gt": "> {}",
    "le": "≤ {}",
    "lt": "< {}",
    "multiple_of": "a multiple of {}",
    "min_length": "at least {} {unit}",
    "max_length": "at most {} {unit}",
    "pattern": "matching {}",
}


def lines(text: str) -> list[str]:
    """The lines of a text, without control characters, trailing spaces and blank ends."""
    shown = "".join(map(_visible, text.replace("\r\n", "\n").replace("\r", "\n")))
    stripped = [line.rstrip() for line in shown.expandtabs(4).split("\n")]
    while stripped and not stripped[0]:
        del stripped[0]
    while stripped and not stripped[-1]:
        del stripped[-1]
    return stripped


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _BREAKS:
        return "\n"
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") else character


def code(text: str) -> str:
    """A text as Markdown code, on one line."""
    shown = "".join(_visible(character) for character in text).replace("\n", "\\n")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def requirements(type_: Type) -> str:
    """What constraints ask of a value, as a phrase: ``≥ 0, at most 3 items``. Empty if nothing."""
    return ", ".join(_demands(type_))


def _demands(type_: Type) -> Iterator[str]:
    match type_:
        case Nullable(inner):
            yield from _demands(inner)
        case Scalar(kind, constraints):
            unit = "bytes" if kind == "bytes" else "characters"
            yield from _phrases(constraints, unit)
        case RootOf(inner=inner) | Custom(inner=inner):
            yield from _demands(inner)
        case ListOf(item, constraints) | SetOf(item, constraints):
            yield from _phrases(constraints, "items")
            for demand in _demands(item):
                yield f"each item {demand}"
        case MapOf(_, value, constraints):
            yield from _phrases(constraints, "entries")
            for demand in _demands(value):
                yield f"each value {demand}"
        case _:
            pass


def _phrases(constraints: Constraints, unit: str) -> Iterator[str]:
    for name, value in constraints.items():
        if name == "allow_inf_nan":
            yield "finite or not" if value else "finite"
            continue
        singular = {"entries": "entry"}.get(unit, unit[:-1])
        shown = code(value) if isinstance(value, str) else value
        yield _MARKS[name].format(shown, unit=singular if value == 1 else unit)
