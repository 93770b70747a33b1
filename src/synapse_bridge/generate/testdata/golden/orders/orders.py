"""Order pricing: nested models, enums, maps, defaults and constraints."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["web", "shop", "phone-order"]


class Currency(enum.Enum):
    """The currencies that we take."""

    EUR = "EUR"
    """The euro."""
    USD = "USD"


class Priority(enum.IntEnum):
    LOW = 1
    HIGH = 10


class Money(BaseModel):
    """An amount in the smallest unit of a currency."""

    amount: int = Field(ge=0, description="Cents.")
    currency: Currency = Currency.EUR


@dataclass
class Address:
    """Where an order goes.

    Attributes:
        street: Street and number.
        city: The city.
    """

    street: str
    city: str
    zip: Annotated[str, Field(pattern=r"^\d{5}$")]
    lines: list[str] = field(default_factory=list)


class Item(BaseModel):
    sku: str = Field(min_length=3, max_length=12, pattern="^[A-Z0-9-]+$")
    quantity: int = Field(default=1, ge=1, le=1000)
    price: Money
    weight: float = Field(0, ge=0, lt=1000.5)
    tags: list[Annotated[str, Field(min_length=1)]] = []
    options: dict[str, str] = Field(default_factory=dict)
    serials: list[Annotated[int, Field(ge=0, le=2**64 - 1)]] | None = None
    blob: bytes = b""


class Order(BaseModel):
    """An order: what, where to, and how."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    items: list[Item] = Field(min_length=1)
    address: Address | None = None
    channel: Channel = "web"
    """Where the order came in."""
    priority: Priority = Priority.LOW
    state: Literal["new", "paid"] = "new"
    note: Optional[str] = "none given"
    coupon: str | None
    grid: list[list[int]] = []
    prices: dict[str, list[Money]] = Field(default_factory=dict)
    flags: dict[bool, int] = {}
    by_number: dict[int, Item] = Field(default_factory=dict)
    maybe: list[int | None] = [1, None]
    limits: dict[str, float] = {"a": 1.5}
    matrix: dict[str, dict[str, list[float | None]]] | None = None
    token: str = Field(default_factory=lambda: "fresh")
    gift: bool = False
    end: int = 0


class Tree(BaseModel):
    """A node and what is below it."""

    value: int
    children: list[Tree] = []
    left: Tree | None = None


def price(
    order: Order,
    rate: float = 1.0,
    /,
    discount: Annotated[float, Field(ge=0, le=1)] = 0.0,
    *,
    currency: Currency = Currency.EUR,
    channels: list[Channel] | None = None,
    timeout: int = 5,
    reason: str,
) -> Money:
    """Prices an order.

    Long text with "quotes", #{interpolation}, and a back\\slash.

    Args:
        order: What to price.
        rate: Exchange rate.
        discount: Between 0 and 1.
        currency: What to price in.
        reason: Why; required.

    Returns:
        The total.

    Raises:
        ValueError: If nothing is in it.

    Example:
        >>> price(order, reason="test")
    """
    total = sum(item.price.amount * item.quantity for item in order.items)
    return Money(amount=round(total * rate * (1 - discount)), currency=currency)


async def walk(tree: Tree, depth: int = 10) -> list[int]:
    """All values, from the left.

    :param tree: the root
    :param depth: how deep to go
    :returns: the values
    """
    if depth <= 0:
        return []
    values = [tree.value]
    for child in tree.children:
        values += await walk(child, depth - 1)
    return values


def forget(order_id: str, *, hard: bool = False) -> None:
    """Forgets an order."""


def version() -> str:
    """The version of the price list."""
    return "2024-1"


def find(channel: Channel, first: int = 0, at: Address | None = None) -> Order | None:
    """Finds the first order of a channel."""
    return None


def totals(orders: list[Order]) -> dict[str, Money]:
    """Totals by currency."""
    return {}


def matrix(rows: list[list[float]], names: dict[str, list[str]]) -> list[list[float]]:
    """Transposes."""
    return [list(column) for column in zip(*rows)]


def greatest(number: Annotated[int, Field(ge=0, le=2**64 - 1)]) -> bytes:
    """Encodes a number."""
    return number.to_bytes(8, "big")
