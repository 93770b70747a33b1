"""A service at its first release; ``new/`` has it at its second."""

from __future__ import annotations

import enum

from pydantic import BaseModel


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Item(BaseModel):
    sku: str
    size: int = 1
    color: Color = Color.RED


class Receipt(BaseModel):
    total: int
    item: Item
    note: str | None = None


def price(item: Item, *, factor: int = 2) -> Receipt:
    """Prices an item."""
    return Receipt(total=item.size * factor, item=item)


def colors() -> list[Color]:
    """All colours."""
    return list(Color)
