"""Tuples in every position, and maps that have them as keys."""

import collections
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel


class Point(NamedTuple):
    """A point in the plane."""

    x: float
    y: float = 0.0


class Tuples(BaseModel):
    pair: tuple[int, str]
    mixed: tuple[list[int], str | None, Point] = ([], None, Point(0.0))
    nothing: tuple[()] = ()
    optional: tuple[int, int] | None = None
    listed: list[tuple[float, float]] = []
    numbers: tuple[int, ...] = ()
    queue: collections.deque[int] = collections.deque()
    sequence: Sequence[Point] = []
    grid: dict[tuple[int, int], list[str]] = {}
    counted: collections.Counter[str] = collections.Counter()
    mapping: Mapping[Point, int] = {}


EXAMPLES = [
    Tuples(pair=(1, "a")),
    Tuples(
        pair=(0, ""),
        mixed=([1], "b", Point(1.0, 2.0)),
        optional=(1, 2),
        listed=[(0.5, -0.5)],
        numbers=(1, 2, 3),
        queue=collections.deque([1, 2]),
        sequence=[Point(1.0)],
        grid={(0, 0): ["a"], (0, 1): []},
        counted=collections.Counter("abca"),
        mapping={Point(1.0): 1},
    ),
]


def echo(value: Tuples) -> Tuples:
    """Returns the tuples."""
    return value


def divide(value: int, by: int = 2) -> tuple[int, int]:
    """Quotient and remainder."""
    return divmod(value, by)
