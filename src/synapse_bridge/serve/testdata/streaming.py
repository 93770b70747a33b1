"""Functions of all four kinds, and what they have seen."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, Field

import synapse_bridge
from synapse_bridge import Context

SEEN: Counter[str] = Counter()
"""How often what happened; a test clears it."""

RELEASED = threading.Event()
"""What :func:`hold` waits for; a test clears it."""

STEP = contextvars.ContextVar("STEP", default=0)


class Item(BaseModel):
    sku: Annotated[str, Field(min_length=1)]
    tags: list[str] = []


class OutOfStock(Exception):
    """There is not enough."""

    def __init__(self, sku: str, missing: int, retry_after: float | None = None) -> None:
        super().__init__(f"{missing} of {sku} are missing")
        self.sku = sku
        self.missing = missing
        self.retry_after = retry_after


class WrongStock(OutOfStock):
    """One whose attributes are not what they should be."""


class Busy(ConnectionError):
    grpc_code = "RESOURCE_EXHAUSTED"


class Large(ValueError):
    text: str


class Unreadable(OutOfStock):
    def __init__(self) -> None:
        super().__init__("a", 1)

    def __str__(self) -> str:
        raise ZeroDivisionError("the secret text")


def count(up_to: int, pause: float = 0.0) -> Iterator[int]:
    SEEN["started"] += 1
    try:
        for number in range(up_to):
            SEEN["yielded"] += 1
            yield number
            if pause:
                time.sleep(pause)
    except GeneratorExit:
        SEEN["exit"] += 1
        raise
    finally:
        SEEN["finally"] += 1


async def count_async(up_to: int, pause: float = 0.0) -> AsyncIterator[int]:
    SEEN["started"] += 1
    try:
        for number in range(up_to):
            SEEN["yielded"] += 1
            yield number
            if pause:
                await asyncio.sleep(pause)
    except (GeneratorExit, asyncio.CancelledError):
        SEEN["exit"] += 1
        raise
    finally:
        SEEN["finally"] += 1


def any_iterable(items: list[str]) -> Iterable[str]:
    yield from items


def plain_iterator(items: list[str]) -> Iterator[str]:
    return iter(items)


async def later(items: list[str]) -> AsyncIterator[str]:
    return _each(items)


async def later_sync(items: list[str]) -> Iterator[str]:
    return iter(items)


def at_once(items: list[str]) -> AsyncGenerator[str, None]:
    return _each(items)


async def _each(items: list[str]) -> AsyncGenerator[str, None]:
    for item in items:
        yield item


def lists(items: list[list[int | None]]) -> Generator[list[int | None], None, None]:
    yield from items


def total(numbers: Iterator[int], start: int = 0) -> int:
    for number in numbers:
        SEEN["taken"] += 1
        start += number
    SEEN["complete"] += 1
    return start


async def total_async(numbers: AsyncIterator[int], *, start: int = 0) -> int:
    async for number in numbers:
        SEEN["taken"] += 1
        start += number
    SEEN["complete"] += 1
    return start


def drain(numbers: Iterator[int]) -> None:
    for _ in numbers:
        pass


def skus(items: Iterator[Item]) -> list[str]:
    found = []
    try:
        for item in items:
            found.append(item.sku)
    except Exception:
        SEEN["swallowed"] += 1
    return found


async def skus_async(items: AsyncIterator[Item]) -> AsyncIterator[str]:
    async for item in items:
        yield item.sku


def first(numbers: Iterator[int]) -> int:
    return next(numbers)


async def first_async(numbers: AsyncIterator[int]) -> int:
    return await anext(numbers)


def slowly(blobs: Iterator[bytes], pause: float) -> int:
    for _ in blobs:
        SEEN["taken"] += 1
        time.sleep(pause)
    return SEEN["taken"]


def double(numbers: Iterator[int | None]) -> Iterator[int | None]:
    try:
        for number in numbers:
            yield None if number is None else number * 2
    finally:
        SEEN["doubled"] += 1


async def double_async(
    greeting: str, numbers: AsyncIterator[int | None]
) -> AsyncIterator[int | None]:
    yield len(greeting)
    async for number in numbers:
        yield None if number is None else number * 2


async def speak_first(numbers: AsyncIterator[int]) -> AsyncIterator[int]:
    yield -1
    async for number in numbers:
        yield number


def wrong(after: int) -> Iterator[Item]:
    for _ in range(after):
        yield Item(sku="a")
    item = Item(sku="b")
    item.tags = [1]  # type: ignore[list-item]
    yield item


async def wrong_async(after: int) -> AsyncIterator[Item]:
    for item in wrong(after):
        yield item


@synapse_bridge.raises(OutOfStock, Large)
def fail(after: int, kind: str) -> Iterator[int]:
    """Fails in the midst.

    Raises:
        Busy: If there is too much to do.
    """
    yield from range(after)
    raise _error(kind)


@synapse_bridge.raises(OutOfStock, code="ABORTED")
async def fail_async(after: int, kind: str) -> AsyncIterator[int]:
    for number in range(after):
        yield number
    raise _error(kind)


@synapse_bridge.raises(OutOfStock)
def fail_once(kind: str) -> int:
    raise _error(kind)


def _error(kind: str) -> BaseException:
    match kind:
        case "stock":
            return OutOfStock("a", 3, 1.5)
        case "type":
            error = WrongStock("a", 3)
            error.missing = "three"  # type: ignore[assignment]
            return error
        case "missing":
            error = WrongStock("a", 3)
            del error.sku
            return error
        case "large":
            large = Large("the text")
            large.text = "x" * 20_000
            return large
        case "busy":
            return Busy("try later")
        case "unreadable":
            return Unreadable()
        case "cancelled":
            return asyncio.CancelledError("the secret text")
        case _:
            return ZeroDivisionError("the secret text")


def hold() -> None:
    """Keeps its thread until it is released."""
    SEEN["held"] += 1
    RELEASED.wait(30)


def watch(context: Context, seconds: float) -> bool:
    """Waits to be cancelled."""
    SEEN["started"] += 1
    cancelled = context.wait(seconds)
    SEEN["cancelled"] += cancelled
    SEEN["flag"] += context.cancelled
    return cancelled


async def watch_async(seconds: float, context: Context) -> None:
    SEEN["started"] += 1
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        SEEN["cancelled"] += 1
        SEEN["flag"] += context.cancelled
        raise


async def watch_from(numbers: AsyncIterator[int], context: Context) -> AsyncIterator[int]:
    """Waits to be cancelled while it yields, or reads."""
    SEEN["started"] += 1
    try:
        async for number in numbers:
            yield number
    finally:
        SEEN["cancelled"] += 1
        SEEN["flag"] += context.cancelled


def facts(context: Context | None = None) -> dict[str, str]:
    assert context is not None
    context.set_trailing_metadata({"seen": "yes", "seen-bin": b"\0"})
    return {
        "peer": context.peer,
        "remaining": str(context.remaining),
        "deadline": str(context.deadline),
        "metadata": str(context.metadata.get("x-test")),
        "all": str(context.all_metadata("x-test")),
        "traceparent": str(context.traceparent),
        "identity": str(context.identity),
        "correlation_id": context.correlation_id,
    }


async def facts_async(context: Context) -> dict[str, str]:
    return facts(context)


def facts_given(context: Context) -> Iterator[dict[str, str]]:
    yield facts(context)


async def facts_given_async(context: Context) -> AsyncIterator[dict[str, str]]:
    yield facts(context)


def facts_taken(numbers: Iterator[int], context: Context) -> dict[str, str]:
    return facts(context) | {"sum": str(sum(numbers))}


async def facts_taken_async(numbers: AsyncIterator[int], context: Context) -> dict[str, str]:
    return facts(context) | {"sum": str(sum([number async for number in numbers]))}


def facts_both(numbers: Iterator[int], context: Context) -> Iterator[dict[str, str]]:
    yield facts(context) | {"sum": str(sum(numbers))}


async def facts_both_async(
    numbers: AsyncIterator[int], context: Context
) -> AsyncIterator[dict[str, str]]:
    yield facts(context) | {"sum": str(sum([number async for number in numbers]))}


async def refuse_with_trailer(context: Context) -> None:
    context.set_trailing_metadata({"seen": "yes"})
    raise KeyError("secret")


@synapse_bridge.method(timeout="500ms")
def limited(seconds: float, context: Context) -> float | None:
    remaining = context.remaining
    SEEN["cancelled"] += context.wait(seconds)
    return remaining


@synapse_bridge.method(timeout="500ms")
async def limited_async(seconds: float) -> AsyncIterator[int]:
    try:
        yield 1
        await asyncio.sleep(seconds)
        yield 2
    finally:
        SEEN["finally"] += 1


def steps(up_to: int) -> Iterator[int]:
    """Counts in a context variable; the threads that it runs in are counted, too."""
    for _ in range(up_to):
        STEP.set(STEP.get() + 1)
        SEEN[threading.current_thread().name] += 1
        yield STEP.get()


def tail(text: bytes) -> Iterator[bytes]:
    """The same without end."""
    try:
        while True:
            SEEN["yielded"] += 1
            yield text
    finally:
        SEEN["finally"] += 1


async def tail_async(text: bytes) -> AsyncIterator[bytes]:
    """The same without end."""
    try:
        while True:
            SEEN["yielded"] += 1
            yield text
    finally:
        SEEN["finally"] += 1


def closes_badly() -> Iterator[int]:
    try:
        while True:
            yield 1
    finally:
        SEEN["finally"] += 1
        raise ZeroDivisionError("the secret of finally")




def at_most(number: int) -> int:
    return min(number, 7)
