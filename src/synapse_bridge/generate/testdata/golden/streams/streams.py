"""All four kinds of call, declared exceptions, deadlines and the call's context."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, Field

import synapse_bridge


class Line(BaseModel):
    """A line of a log."""

    number: int
    text: str


class NoSuchLog(LookupError):
    """There is no log of that name.

    Attributes:
        name: The name that was asked for.
    """

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no log is called {name}")
        self.name = name
        self.known = known


class Full(Exception):
    """Nothing more can be stored."""

    grpc_code = "RESOURCE_EXHAUSTED"
    limit: int
    last: Line | None


@synapse_bridge.method(timeout="5m", idempotent=True)
def tail(name: str, *, last: int = 10) -> Iterator[Line]:
    """The last lines of a log, and those that come.

    Args:
        name: The log.
        last: How many lines to begin with.

    Returns:
        One line after the other.

    Raises:
        NoSuchLog: If there is none.
        PermissionError: If it cannot be read.
    """
    raise NoSuchLog(name, [])
    yield


async def follow(name: str) -> AsyncIterator[list[int]]:
    for number in range(3):
        yield [number]


def count(up_to: int) -> Iterable[int | None]:
    """Counts."""
    yield from range(up_to)


@synapse_bridge.raises(Full)
def store(name: str, lines: Iterator[Line]) -> int:
    """Stores lines.

    Args:
        lines: What to store.
    """
    return sum(1 for _ in lines)


async def discard(*, blobs: AsyncIterator[Annotated[bytes, Field(max_length=1024)]]) -> None:
    async for _ in blobs:
        pass


def grep(lines: Iterator[list[str]], pattern: str) -> Generator[list[str], None, None]:
    """The lists that have the pattern."""
    for line in lines:
        if pattern in line:
            yield line


async def echo(
    items: AsyncIterator[int | None], context: synapse_bridge.Context
) -> AsyncIterator[int | None]:
    async for item in items:
        yield item


@synapse_bridge.method(timeout=1.5)
@synapse_bridge.raises(Full, NoSuchLog, code="ABORTED")
async def close(name: str, context: synapse_bridge.Context | None = None) -> None:
    """Closes a log."""
