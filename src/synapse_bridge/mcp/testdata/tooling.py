"""Functions of all kinds, to be called as tools."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal, NamedTuple, NotRequired

from pydantic import BaseModel, ConfigDict, Field, SecretStr, computed_field
from typing_extensions import TypedDict

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


class Channel(enum.Enum):
    """Where something was sold."""

    WEB = "web"
    SHOP = "shop"


class Card(BaseModel):
    """A card of plastic."""

    number: str = Field(pattern=r"^[0-9]{4,19}$")
    holder: str = Field("", pattern=r"(?i)^[a-z ]*$")

    @computed_field
    @property
    def last(self) -> str:
        """The last digits."""
        return self.number[-4:]


class GoldCard(Card):
    limit: int = Field(0, ge=0, le=10_000)


class Cash(BaseModel):
    model_config = ConfigDict(extra="allow")

    kind: Literal["cash"] = "cash"


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Options(TypedDict):
    """What may be said."""

    quiet: bool
    note: NotRequired[str | None]


def pay(
    by: Card | GoldCard | Literal["later"],
    /,
    sold: dict[Channel, int],
    extra: Cash | None = None,
    *,
    mode: Literal["fast", "safe"] = "safe",
    days: Annotated[list[dt.date], Field(max_length=7)] = [],
    receipt: Annotated[bytes, Field(min_length=1, max_length=4)] | None = None,
    tree: Tree | None = None,
    pair: Pair = Pair(1),
    options: Options = {"quiet": True},
    table: dict[int, tuple[float, bool]] = {},
    tags: set[str] = set(),
) -> GoldCard | Card | None:
    """Pays.

    All that is taken and given here has a schema
    of its own.

    Args:
        by: With what.
        sold: How much, by where.

    Returns:
        What was paid with, if anything.

    Raises:
        ValueError: If there is no money.
    """
    return None if isinstance(by, str) else by


def grow(tree: Tree) -> Tree:
    """Trees."""
    return tree


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
