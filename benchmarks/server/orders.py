"""What the benchmarked servers serve: a greeting, and an order of usual size."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from pydantic import BaseModel, Field

__all__ = ["greet", "greet_sync", "price", "price_sync"]


class InputData(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0)]


class Currency(IntEnum):  # pydantic-rpc takes integers only, and wants a zero
    EUR = 0
    USD = 1


class Address(BaseModel):
    street: str
    city: str
    zip: str | None = None


class Item(BaseModel):
    sku: Annotated[str, Field(min_length=1)]
    quantity: Annotated[int, Field(ge=1)]
    price: Annotated[float, Field(ge=0)]
    tags: list[str] = []


class Order(BaseModel):
    number: int
    customer: str
    address: Address
    currency: Currency
    items: list[Item]
    discounts: dict[str, float] = {}


class Line(BaseModel):
    sku: str
    amount: float


class Quote(BaseModel):
    number: int
    currency: Currency
    lines: list[Line]
    total: float


async def greet(data: InputData) -> str:
    """Processes the input data and returns a greeting."""
    return f"Hello, {data.name}! You are {data.age} years old."


async def price(order: Order) -> Quote:
    """Prices an order."""
    return quote(order)


def greet_sync(data: InputData) -> str:
    """The same as a sync function."""
    return f"Hello, {data.name}! You are {data.age} years old."


def price_sync(order: Order) -> Quote:
    """The same as a sync function."""
    return quote(order)


def quote(order: Order) -> Quote:
    lines = [
        Line(
            sku=item.sku,
            amount=item.quantity * item.price * (1 - order.discounts.get(item.sku, 0.0)),
        )
        for item in order.items
    ]
    total = sum(line.amount for line in lines)
    return Quote(number=order.number, currency=order.currency, lines=lines, total=total)
