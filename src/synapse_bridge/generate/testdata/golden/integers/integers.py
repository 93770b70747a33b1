"""Whole numbers."""

from typing import Annotated

from pydantic import BaseModel, Field


class Counter(BaseModel):
    count: int
    step: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(gt=-100_000, lt=100_000, multiple_of=10)] | None = None
    low: int = -9_223_372_036_854_775_808
    high: int = 9_223_372_036_854_775_807


EXAMPLES = [
    Counter(count=0),
    Counter(count=-(2**63), step=1_000_000, limit=-99_990, low=0, high=2**63 - 1),
]


def increase(counter: Counter, by: Annotated[int, Field(ge=0)] = 1) -> int:
    """Increases a counter."""
    return counter.count + by


def echo(value: Counter) -> Counter:
    """Returns the counter."""
    return value
