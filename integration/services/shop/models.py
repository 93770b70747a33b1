"""What the shop's functions take and return."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

Sku = Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4}$", description="Stock keeping unit.")]
Cents = Annotated[int, Field(ge=0, description="An amount of money in hundredths.")]


class Currency(Enum):
    """Currencies that the shop accepts."""

    EUR = "EUR"
    USD = "USD"
    JPY = "JPY"


class Priority(IntEnum):
    """How soon an order leaves the warehouse."""

    LOW = 10
    NORMAL = 20
    HIGH = 30


class Address(BaseModel):
    """Where an order goes."""

    street: str = Field(min_length=1)
    city: str = Field(min_length=1)
    postal_code: str = Field(min_length=3, max_length=10)
    country: str = Field(default="DE", pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    note: str | None = None


class Customer(BaseModel):
    """Who orders.

    ``newsletter`` tells three things apart: ``True`` and ``False`` were answers, ``None`` means
    that nobody asked. Who leaves it out gets the shop's own default, ``False``.
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    name: str = Field(min_length=1, max_length=80)
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    newsletter: bool | None = False
    addresses: list[Address] = Field(default_factory=list)


class Discount(BaseModel):
    """A reduction, granted when the order's subtotal reaches ``minimum``."""

    code: str = Field(min_length=3)
    percent: float = Field(gt=0, lt=100)
    minimum: Cents = 0


class Line(BaseModel):
    """One position of an order."""

    sku: Sku
    quantity: int = Field(default=1, ge=1, le=999)
    unit: Literal["piece", "box", "pallet"] = "piece"
    gift_message: str | None = Field(default=None, max_length=200)
    options: dict[str, str] = {}


class Order(BaseModel):
    """Everything that decides a price."""

    customer: Customer
    lines: list[Line] = Field(min_length=1, max_length=100)
    currency: Currency = Currency.EUR
    priority: Priority = Priority.NORMAL
    ship_to: Address | None = None
    discounts: list[Discount] = []
    discount_codes_tried: list[str] | None = None
    tags: list[str] = ["web"]
    attributes: dict[str, int] | None = None
    reference: str = Field(default_factory=lambda: uuid4().hex, description="Made if left out.")


class PricedLine(BaseModel):
    """A line with its price."""

    line: Line
    unit_price: Cents
    total: Cents


class Quote(BaseModel):
    """What an order costs."""

    reference: str
    currency: Currency
    lines: list[PricedLine]
    subtotal: Cents
    discount: Cents
    total: Cents
    by_sku: dict[str, int]
    shipping_days: int | None
    warnings: list[str] = []


@dataclass
class StockLevel:
    """How much of an article there is, by warehouse."""

    sku: str
    by_warehouse: dict[str, int]
    backorder_days: int | None = None
    alternatives: list[str] = field(default_factory=list)
