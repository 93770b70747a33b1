"""Sets in every position."""

import collections.abc
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Tag(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str


class Sets(BaseModel):
    required: set[int]
    frozen: frozenset[str] = frozenset()
    any_set: collections.abc.Set[bytes] = frozenset()
    made: set[str] = Field(default_factory=set)
    of_models: frozenset[Tag] = frozenset()
    with_default: set[int] = {1, 2}
    optional: set[int] | None = None
    few: Annotated[set[int], Field(max_length=3)] = set()
    listed: list[set[int]] = []
    by_name: dict[str, frozenset[int]] = {}


EXAMPLES = [
    Sets(required={1, 2}),
    Sets(
        required=set(),
        frozen=frozenset({"a"}),
        any_set={b"x"},
        made={"m"},
        of_models=frozenset({Tag(name="a"), Tag(name="b")}),
        with_default=set(),
        optional=set(),
        few={3},
        listed=[{1}, set()],
        by_name={"x": frozenset({1})},
    ),
]


def echo(value: Sets) -> Sets:
    """Returns the sets."""
    return value


def distinct(items: list[str], ignored: frozenset[str] = frozenset()) -> set[str]:
    """The items without repetition."""
    return set(items) - ignored
