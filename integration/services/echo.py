"""Identity functions, one for each kind of value: what goes in must come out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Colour(Enum):
    """An enum of strings whose names and values differ."""

    RED = "r"
    DARK_GREEN = "g"


class Level(IntEnum):
    """An enum of integers; no value is its number on the wire."""

    OFF = 0
    LOW = -1
    HIGH = 100


@dataclass
class Point:
    """A dataclass."""

    x: float
    y: float = 0.0
    label: str | None = None


class Everything(BaseModel):
    """One field per kind of value, all required."""

    a_bool: bool
    an_int: int
    a_float: float
    a_str: str
    some_bytes: bytes
    a_colour: Colour
    a_level: Level
    a_literal: Literal["small", "large"]
    a_point: Point
    ints: list[int]
    points: list[Point]
    by_str: dict[str, int]
    by_int: dict[int, str]
    by_bool: dict[bool, Point]


class Presence(BaseModel):
    """A field for each way in which a value can be absent, empty, ``None`` or defaulted."""

    nullable: int | None
    none_by_default: int | None = None
    seven_by_default: int | None = 7
    made_or_none: int | None = Field(default_factory=lambda: 8)
    number: int = 9
    made: int = Field(default_factory=lambda: 10)
    enum: Colour = Colour.DARK_GREEN
    nullable_enum: Colour | None = Colour.RED
    items: list[int]
    items_empty: list[int] = []
    items_made: list[int] = Field(default_factory=list)
    items_default: list[int] = [1, 2]
    items_not_empty: Annotated[list[int], Field(min_length=1)] = [3]
    items_nullable: list[int] | None
    items_none: list[int] | None = None
    items_or_none: list[int] | None = Field(default_factory=lambda: [4])
    entries: dict[str, int]
    entries_empty: dict[str, int] = {}
    entries_default: dict[str, int] = {"a": 1}
    entries_nullable: dict[str, int] | None
    entries_none: dict[str, int] | None = None
    point: Point | None = None
    point_made: Point = Field(default_factory=lambda: Point(1.0))


class Bounded(BaseModel):
    """A field for each constraint."""

    ge: Annotated[int, Field(ge=0)] = 0
    gt: Annotated[float, Field(gt=0)] = 1.0
    le: Annotated[int, Field(le=10)] = 10
    lt: Annotated[float, Field(lt=10)] = 9.5
    even: Annotated[int, Field(multiple_of=2)] = 2
    short: Annotated[str, Field(max_length=3)] = "äöü"
    long: Annotated[str, Field(min_length=3)] = "äöü"
    word: Annotated[str, Field(pattern=r"^\w+$")] = "wörd"
    few: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=2)] = [1]
    some: Annotated[dict[str, Annotated[int, Field(le=5)]], Field(min_length=1)] = {"a": 1}
    raw: Annotated[bytes, Field(max_length=4)] = b""


def echo_bool(value: bool) -> bool:
    """Returns ``value``."""
    return value


def echo_int(value: int) -> int:
    """Returns ``value``."""
    return value


def echo_uint64(
    value: Annotated[int, Field(ge=0, le=2**64 - 1)],
) -> Annotated[int, Field(ge=0, le=2**64 - 1)]:
    """Returns ``value``, which may exceed 2^63-1."""
    return value


def echo_float(value: float) -> float:
    """Returns ``value``."""
    return value


def echo_str(value: str) -> str:
    """Returns ``value``."""
    return value


def echo_bytes(value: bytes) -> bytes:
    """Returns ``value``."""
    return value


def echo_none() -> None:
    """Returns nothing."""


def echo_ints(value: list[int]) -> list[int]:
    """Returns ``value``."""
    return value


def echo_floats(value: list[float]) -> list[float]:
    """Returns ``value``."""
    return value


def echo_strs(value: list[str]) -> list[str]:
    """Returns ``value``."""
    return value


def echo_optional_int(value: int | None) -> int | None:
    """Returns ``value``."""
    return value


def echo_optional_list(value: list[int] | None) -> list[int] | None:
    """Returns ``value``."""
    return value


def echo_optional_dict(value: dict[str, int] | None) -> dict[str, int] | None:
    """Returns ``value``."""
    return value


def echo_list_of_optional(value: list[int | None]) -> list[int | None]:
    """Returns ``value``."""
    return value


def echo_nested_list(value: list[list[str]]) -> list[list[str]]:
    """Returns ``value``."""
    return value


def echo_dict(value: dict[str, float]) -> dict[str, float]:
    """Returns ``value``."""
    return value


def echo_dict_by_int(value: dict[int, bytes]) -> dict[int, bytes]:
    """Returns ``value``."""
    return value


def echo_dict_by_bool(value: dict[bool, str]) -> dict[bool, str]:
    """Returns ``value``."""
    return value


def echo_dict_of_lists(value: dict[str, list[Point]]) -> dict[str, list[Point]]:
    """Returns ``value``."""
    return value


def echo_dict_of_optional(
    value: dict[str, dict[int, str | None] | None],
) -> dict[str, dict[int, str | None] | None]:
    """Returns ``value``."""
    return value


def echo_colour(value: Colour) -> Colour:
    """Returns ``value``."""
    return value


def echo_level(value: Level) -> Level:
    """Returns ``value``."""
    return value


def echo_levels(value: list[Level]) -> list[Level]:
    """Returns ``value``."""
    return value


def echo_literal(value: Literal["small", "x-large"]) -> Literal["small", "x-large"]:
    """Returns ``value``."""
    return value


def echo_point(value: Point) -> Point:
    """Returns ``value``."""
    return value


def echo_everything(value: Everything) -> Everything:
    """Returns ``value``."""
    return value


def echo_presence(value: Presence) -> Presence:
    """Returns ``value``."""
    return value


def echo_bounded(value: Bounded) -> Bounded:
    """Returns ``value``."""
    return value


def fields_set(value: Presence) -> set[str]:
    """The fields that were set from outside, which ``exclude_unset`` leaves in a dump."""
    return value.model_fields_set


def seen(value: Presence) -> dict[str, str]:
    """Shows what arrived in Python: the ``repr`` of each field."""
    return {name: repr(getattr(value, name)) for name in Presence.model_fields}


def seen_parameters(
    required: int | None,
    seven: int | None = 7,
    items: list[int] = [1],  # noqa: B006 - a default as users write them
    *,
    end: str = "end",
    timeout: float | None = None,
    entries: dict[str, int] | None = None,
) -> dict[str, str]:
    """Shows what arrived in Python: the ``repr`` of each parameter.

    One name is a reserved word of Elixir, another an option of every call.
    """
    return {name: repr(value) for name, value in locals().items()}


def trust_str(text: str) -> str:
    """Reads JSON, and trusts it to be a string."""
    value: str = json.loads(text)
    return value


def trust_points(text: str) -> list[Point]:
    """Reads points from JSON, and trusts their coordinates to be numbers."""
    return [Point(**point) for point in json.loads(text)]


def length(value: str) -> int:
    """Counts code points."""
    return len(value)


def repeat(value: str, times: int) -> str:
    """Returns ``value`` many times over."""
    return value * times
