"""Values that need a wrapper message, and models that are called like one."""

from pydantic import BaseModel, Field


class ListOfInt64(BaseModel):
    items: list[int]


class OptionalString(BaseModel):
    value: str | None


class Wrapped(BaseModel):
    wrapper: ListOfInt64
    grid: list[list[int]] = []
    note: str | None = "none"
    optional: OptionalString | None = None
    made: list[int] = Field(default_factory=lambda: [1])
    deep: dict[str, list[dict[int, list[float | None]] | None]] | None = None


EXAMPLES = [
    Wrapped(wrapper=ListOfInt64(items=[])),
    Wrapped(
        wrapper=ListOfInt64(items=[1]),
        grid=[[1], []],
        note=None,
        optional=OptionalString(value=None),
        made=[],
        deep={"a": [None, {}, {1: [None, 0.5], 2: []}], "b": []},
    ),
]


def unwrap(wrapped: Wrapped, grid: list[list[int]] = [[0]]) -> list[list[int | None]]:  # noqa: B006
    """Unwraps."""
    return []


def echo(value: Wrapped) -> Wrapped:
    """Returns what was wrapped."""
    return value
