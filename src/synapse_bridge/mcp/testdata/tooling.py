"""Functions of all kinds, to be called as tools."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

import synapse_bridge

print("printed while it is imported")

CANCELLED: list[str] = []


class OutOfStock(Exception):
    """There is not enough.

    Attributes:
        sku: What was asked for.
        until: When there will be more.
    """

    def __init__(self, sku: str, until: dt.date) -> None:
        super().__init__(f"{sku} is out of stock")
        self.sku = sku
        self.until = until


class Line(BaseModel):
    """A line of an order."""

    sku: str = Field(min_length=3)
    quantity: int = Field(1, ge=1)
    due: dt.datetime | None = None
    label: bytes = b""


class Exact(BaseModel):
    big: Annotated[int, synapse_bridge.BigInt]
    number: float
    nothing: None | str = None
    nested: list[dict[str, int | None]] = []


def price(lines: list[Line], rate: float = 1.0) -> Line:
    """Prices an order.

    Args:
        lines: What is ordered.
        rate: Exchange rate.

    Returns:
        The first line.
    """
    return lines[0]


@synapse_bridge.method(idempotent=True)
async def greet(name: str, context: synapse_bridge.Context) -> str:
    """Greets."""
    print("printed by a function")
    caller = f", {context.identity.name}" if context.identity else ""
    return f"Hello {name}{caller}"


@synapse_bridge.raises(OutOfStock)
def order(sku: str) -> int:
    """Orders."""
    raise OutOfStock(sku, dt.date(2024, 5, 1))


def crash() -> int:
    raise RuntimeError("the text of an accident")


def infinite() -> float:
    return float("inf")


def forget(sku: str) -> None:
    """Forgets."""


def same(value: Exact) -> Exact:
    return value


def count(up_to: int) -> Iterator[int]:
    """Counts."""
    for number in range(up_to):
        yield number
    if up_to == 7:
        raise ValueError("seven")


def total(numbers: Iterator[int], times: int = 1) -> int:
    """Adds."""
    return sum(numbers) * times


async def wait() -> AsyncIterator[str]:
    """Waits until it is cancelled."""
    yield "begun"
    try:
        await asyncio.Event().wait()
    finally:
        CANCELLED.append("wait")


def cancelled() -> list[str]:
    """What has been cancelled."""
    return CANCELLED


def thread() -> str:
    """Where sync functions run."""
    return threading.current_thread().name


def login(user: str) -> SecretStr:
    return SecretStr(user)


def echo(items: Iterator[int]) -> Iterator[int]:
    yield from items


def shout() -> None:
    """Writes where nobody should."""
    sys.stdout.write("written by a function\n")
