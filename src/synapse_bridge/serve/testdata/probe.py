"""Functions that behave and misbehave."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator


class Currency(Enum):
    EUR = "EUR"
    USD = "USD"


Priority = Literal["low", "high"]


@dataclass
class Address:
    street: str
    labels: list[str] = field(default_factory=lambda: ["home"])


class Item(BaseModel):
    sku: Annotated[str, Field(min_length=1, alias="SKU")]
    quantity: Annotated[int, Field(ge=1)] = 1
    tags: list[str] = []


class Order(BaseModel):
    number: int
    address: Address | None
    items: list[Item]
    prices: dict[str, float] = {}
    currency: Currency = Currency.EUR
    priority: Priority | None = None
    coupon: str | None = "WELCOME"
    parent: Order | None = None

    @field_validator("number")
    @classmethod
    def not_thirteen(cls, number: int) -> int:
        if number == 13:
            raise ValueError("13 brings bad luck")
        if number == 14:
            raise ZeroDivisionError("the secret of the validator")
        return number


def echo(order: Order, /, factor: int = 2, *, names: list[str]) -> Order:
    """The order itself; its number times the factor; the names as tags."""
    order.number *= factor
    for item in order.items:
        item.tags += names
    return order


def fail(kind: str) -> str:
    raise {
        "zero": ZeroDivisionError,
        "value": ValueError,
        "key": KeyError,
        "file": FileNotFoundError,
        "permission": PermissionError,
        "timeout": TimeoutError,
        "unimplemented": NotImplementedError,
        "exit": SystemExit,
        "stop": StopIteration,
        "cancelled": asyncio.CancelledError,
        "own": OwnError,
    }[kind]("the secret text")


class OwnError(NotImplementedError):
    pass


async def fail_async(kind: str) -> str:
    return fail(kind)


def wrong(kind: str) -> Order:
    """Something that is no ``Order``."""
    order = Order(number=1, address=None, items=[Item(SKU="a")])
    match kind:
        case "none":
            return None
        case "attribute":
            order.items[0].sku = None
        case "range":
            order.number = 2**63
        case "surrogate":
            order.prices = {"a\ud800": 1.0}
        case "cycle":
            order.parent = order
        case "deep":
            for _ in range(120):
                order = Order(number=1, address=None, items=[], parent=order)
    return order


class State:
    """Methods of an instance."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.waiting = 0
        self.running = 0
        self.most = 0
        self.lock = threading.Lock()

    async def wait(self, seconds: float) -> None:
        self.waiting += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1

    async def count_cancelled(self) -> int:
        return self.cancelled

    async def count_running(self) -> int:
        return self.waiting + self.running

    def block(self, seconds: float) -> int:
        """Returns how many calls of this method ran at once, at most."""
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(seconds)
        with self.lock:
            self.running -= 1
        return self.most


state = State()


async def pid() -> int:
    return os.getpid()


def text(value: str) -> str:
    return value
