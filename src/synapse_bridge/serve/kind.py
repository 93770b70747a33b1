"""Kinds of settings: how their texts are read, and what a configuration may hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from synapse_bridge.serve import address


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting's text becomes its value, and its type in a configuration.

    ``parse`` raises ``ValueError`` with what was expected. A configuration's value is of ``type``;
    ``parse`` gets it where it is a text.
    """

    parse: Callable[[str], Any]
    type: Any
    metavar: str | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What is said of a setting beside its default."""

    kind: Kind
    help: str
    metavar: str | None
    command_line_only: bool


def option(
    default: Any,
    kind: Kind,
    help: str,
    *,
    metavar: str | None = None,
    command_line_only: bool = False,
) -> Any:
    """A field of the options; a callable makes its default."""
    metadata = {"setting": Setting(kind, help, metavar or kind.metavar, command_line_only)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def _whole(least: int, most: float, expected: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"expected {expected}")
        return int(text)

    return parse


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _seconds(text: str) -> float:
    number = _number(text)
    if not 0 <= number < math.inf:
        raise ValueError("expected seconds, 0 or more")
    return number


def _duration(text: str) -> float:
    number = _number(text)
    if not 0 < number < math.inf:
        raise ValueError("expected seconds, more than 0")
    return number


def _text(text: str) -> str:
    if not text:
        raise ValueError("expected a text that is not empty")
    if "\0" in text:
        raise ValueError("expected a text without NUL, which no path and no name has")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise ValueError("expected names with commas between them")
    return names


def one_of(*choices: str) -> Kind:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return text

    return Kind(parse, Literal[choices], choices=choices)


_Positive = Annotated[int, pydantic.Field(ge=1)]
_Count = Annotated[int, pydantic.Field(ge=0)]
_Port = Annotated[int, pydantic.Field(ge=0, le=65535)]
_Seconds = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
_Duration = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
_Text = Annotated[str, pydantic.Field(min_length=1)]

ADDRESS = Kind(address.parse, _Text, "HOST:PORT|unix:PATH")
TEXT = Kind(_text, _Text)
FILE = Kind(lambda text: Path(_text(text)), _Text, "FILE")
SWITCH = Kind(bool, bool)
PORT = Kind(_whole(0, 65535, "a port from 0 to 65535"), _Port, "PORT")
POSITIVE = Kind(_whole(1, math.inf, "a whole number of 1 or more"), _Positive, "N")
COUNT = Kind(_whole(0, math.inf, "a whole number of 0 or more"), _Count, "N")
BYTES = Kind(_whole(1, 2**31 - 1, "bytes, from 1 to 2147483647"), _Positive, "BYTES")
SECONDS = Kind(_seconds, _Seconds)
DURATION = Kind(_duration, _Duration)
NAMES = Kind(_names, list[_Text], "NAME,…")
