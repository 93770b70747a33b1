"""Whole numbers above 2^63."""

from typing import Annotated

from pydantic import BaseModel, Field

Unsigned = Annotated[int, Field(ge=0, le=18_446_744_073_709_551_615)]


class Sum(BaseModel):
    checksum: Unsigned
    previous: Unsigned | None = None
    history: list[Unsigned] = []
    names: dict[Unsigned, str] = {}


EXAMPLES = [
    Sum(checksum=0),
    Sum(checksum=2**64 - 1, previous=2**63, history=[0, 2**64 - 1], names={2**64 - 1: "last"}),
]


def add(sum_: Sum, number: Unsigned) -> Unsigned:
    """Adds a number."""
    return (sum_.checksum + number) % 2**64


def echo(value: Sum) -> Sum:
    """Returns the sum."""
    return value
