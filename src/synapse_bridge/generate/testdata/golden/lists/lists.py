"""Lists."""

from typing import Annotated

from pydantic import BaseModel, Field


class Point(BaseModel):
    x: int
    y: int


class Lists(BaseModel):
    points: Annotated[list[Point], Field(min_length=1, max_length=3)]
    numbers: list[int] = []
    flags: list[bool] = Field(default_factory=list)
    primes: list[int] = [2, 3, 5]
    grid: list[list[Annotated[int, Field(ge=0)]]] = []
    cube: list[list[list[Point]]] = []
    rows: list[Annotated[list[int], Field(max_length=2)]] = []
    holes: list[float | None] = []
    maybe: list[str] | None = None


EXAMPLES = [
    Lists(points=[Point(x=1, y=2)]),
    Lists(
        points=[Point(x=1, y=2), Point(x=3, y=4)],
        numbers=[1, 2],
        flags=[True, False],
        primes=[],
        grid=[[1], [], [2, 3]],
        cube=[[[Point(x=5, y=6)], []], []],
        rows=[[1, 2]],
        holes=[None, 0.0, None],
        maybe=[],
    ),
]


def corners(points: list[Point], first: list[int] = [1]) -> list[list[Point]]:  # noqa: B006
    """Groups points."""
    return [points[: first[0]], points[first[0] :]]


def echo(value: Lists) -> Lists:
    """Returns the lists."""
    return value
