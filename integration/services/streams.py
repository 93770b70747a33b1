"""Functions that stream, and what became of their calls.

Every call has a label, under which :func:`seen` tells what has happened to it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

import synapse_bridge

_COUNTS: dict[str, Counter[str]] = defaultdict(Counter)
_TIMES: dict[str, float] = {}


class Item(BaseModel):
    """Something in stock."""

    sku: str
    left: int | None = None


class OutOfStock(Exception):
    """There is none left."""

    def __init__(self, sku: str, asked: int) -> None:
        super().__init__(f"no {sku} left, {asked} asked for")
        self.sku = sku
        self.asked = asked


class Seen(BaseModel):
    """What has happened under a label.

    Attributes:
        counts: How often what.
        ended: When the last call ended, in seconds since 1970.
        threads: How many threads the server has.
        tasks: How many tasks its event loop has.
        resident: The server's memory, in bytes.
    """

    counts: dict[str, int]
    ended: float
    threads: int
    tasks: int
    resident: int


async def seen(label: str) -> Seen:
    """What has happened under a label."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Seen(
        counts=_COUNTS[label],
        ended=_TIMES.get(label, 0.0),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
        resident=pages * 4096,
    )


@contextmanager
def _followed(label: str) -> Iterator[Counter[str]]:
    """Counts a call under its label: that it began, what broke it off, and that it has ended."""
    counts = _COUNTS[label]
    counts["started"] += 1
    try:
        yield counts
    except (asyncio.CancelledError, GeneratorExit, synapse_bridge.Cancelled) as cause:
        counts[type(cause).__name__] += 1
        raise
    finally:
        _TIMES[label] = time.time()
        counts["ended"] += 1


def count(up_to: int, *, label: str = "count") -> Iterator[int]:
    """Counts from 0."""
    with _followed(label) as counts:
        for number in range(up_to):
            counts["yielded"] += 1
            yield number


async def count_async(up_to: int, *, label: str = "count") -> AsyncIterator[int]:
    """Counts from 0."""
    with _followed(label) as counts:
        for number in range(up_to):
            counts["yielded"] += 1
            yield number


async def lines(number: int, *, label: str = "lines") -> AsyncIterator[str]:
    """As many lines of 46 characters, which are 48 bytes of a message."""
    counts = _COUNTS[label]
    for _ in range(number):
        counts["yielded"] += 1
        yield "." * 46


async def wait(*, label: str = "wait") -> AsyncIterator[int]:
    """One number, and then nothing for a long time."""
    with _followed(label):
        yield 0
        await asyncio.sleep(3600)


def wait_in_thread(context: synapse_bridge.Context, *, label: str = "wait") -> Iterator[int]:
    """The same as a sync function, which finds out by its context."""
    with _followed(label) as counts:
        yield 0
        counts["flag"] += context.wait(3600)


async def never(*, label: str = "never") -> int:
    """No result for a long time."""
    with _followed(label):
        await asyncio.sleep(3600)
    return 0


def never_in_thread(context: synapse_bridge.Context, *, label: str = "never") -> int:
    """The same as a sync function, which finds out by its context."""
    with _followed(label) as counts:
        counts["flag"] += context.wait(3600)
    return 0


def add(numbers: Iterator[int], *, most: int = 2**62, label: str = "add") -> int:
    """The sum of the numbers, or of as many as it takes to get to the most."""
    total = 0
    with _followed(label) as counts:
        for number in numbers:
            counts["read"] += 1
            total += number
            if total >= most:
                break
    return total


async def add_async(numbers: AsyncIterator[int], *, label: str = "add") -> int:
    """The sum of the numbers."""
    total = 0
    with _followed(label) as counts:
        async for number in numbers:
            counts["read"] += 1
            total += number
    return total


async def read_slowly(parts: AsyncIterator[bytes], *, label: str) -> int:
    """Reads a part each time that :func:`go_on` is called; how many bytes there were."""
    total = 0
    async for part in parts:
        total += len(part)
        _COUNTS[label]["read"] += 1
        while _COUNTS[label]["read"] >= _COUNTS[label]["allowed"]:
            await asyncio.sleep(0.005)
    return total


def read_slowly_in_thread(parts: Iterator[bytes], *, label: str) -> int:
    """The same as a sync function."""
    total = 0
    for part in parts:
        total += len(part)
        _COUNTS[label]["read"] += 1
        while _COUNTS[label]["read"] >= _COUNTS[label]["allowed"]:
            time.sleep(0.005)
    return total


async def go_on(label: str, parts: int) -> None:
    """Lets :func:`read_slowly` read so many parts more."""
    _COUNTS[label]["allowed"] += parts


def scale(numbers: Iterator[int], factor: int = 2, *, label: str = "scale") -> Iterator[int]:
    """Multiplies each number as it comes."""
    with _followed(label) as counts:
        for number in numbers:
            counts["read"] += 1
            yield number * factor


async def scale_async(
    numbers: AsyncIterator[int], factor: int = 2, *, label: str = "scale"
) -> AsyncIterator[int]:
    """Multiplies each number as it comes."""
    with _followed(label) as counts:
        async for number in numbers:
            counts["read"] += 1
            yield number * factor


async def take(wanted: AsyncIterator[Item | None], *, stock: int) -> AsyncIterator[Item | None]:
    """Takes what is wanted from the stock.

    Raises:
        OutOfStock: Nothing is left.
    """
    async for item in wanted:
        if item is not None:
            if stock == 0:
                raise OutOfStock(item.sku, 1)
            stock -= 1
            item = Item(sku=item.sku, left=stock)
        yield item


def fail(after: int, error: str) -> Iterator[int]:
    """Some numbers, and then an exception.

    Raises:
        OutOfStock: If told to.
    """
    yield from range(after)
    match error:
        case "declared":
            raise OutOfStock("pen", after)
        case "value":
            raise ValueError("no good value")
        case "key":
            raise KeyError("no such key")
        case _:
            raise RuntimeError("a secret")


@synapse_bridge.raises(OutOfStock)
def reserve(sku: str) -> int:
    """Never succeeds."""
    raise OutOfStock(sku, 7)


@synapse_bridge.method(timeout=0.2)
async def hurried() -> AsyncIterator[int]:
    """A number, and nothing more until its own deadline is over."""
    yield 0
    await asyncio.sleep(3600)
