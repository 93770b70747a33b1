"""Dicts."""

from typing import Annotated

from pydantic import BaseModel, Field


class Price(BaseModel):
    cents: int


class Maps(BaseModel):
    prices: Annotated[dict[str, Price], Field(min_length=1)]
    names: dict[int, str] = {}
    answers: dict[bool, bytes] = {}
    counts: dict[str, Annotated[int, Field(ge=0)]] = {"a": 1, "#{b}": 2}
    numbered: dict[int, float] = {-1: 0.5}
    groups: dict[str, list[Price]] = {}
    nested: dict[str, dict[int, Price]] = {}
    holes: dict[str, int | None] = {}
    maybe: dict[str, str] | None = None
    by_bytes: dict[bytes, float] = {}


EXAMPLES = [
    Maps(prices={"a": Price(cents=1)}),
    Maps(
        prices={"": Price(cents=1), "é": Price(cents=2)},
        names={-1: "x"},
        answers={True: b"1", False: b""},
        counts={},
        numbered={},
        groups={"a": [Price(cents=3)], "b": []},
        nested={"a": {1: Price(cents=4)}, "b": {}},
        holes={"a": None, "b": 0},
        maybe={},
        by_bytes={b"": 0.5, b"\xff": -0.5},
    ),
]


def totals(maps: Maps, by: dict[str, int]) -> dict[str, Price]:
    """Adds up."""
    return maps.prices


def grouped(by: dict[str, list[Price]]) -> dict[str, list[Price]]:
    """Returns the groups."""
    return by


def echo(value: Maps) -> Maps:
    """Returns the maps."""
    return value
