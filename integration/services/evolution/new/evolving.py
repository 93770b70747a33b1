"""The service at its second release, which clients of the first must not notice.

Everything has changed its place; there are new members before old ones, and new names.
"""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import BaseModel

from synapse_bridge import RenamedFrom


class Color(enum.Enum):
    BLUE = "blue"
    LIME = "green"
    RED = "red"


def colors() -> list[Color]:
    """All colours, those of the first release first."""
    return [Color.RED, Color.LIME, Color.BLUE]


class Article(BaseModel):
    weight: float = 0.5
    color: Color = Color.RED
    length: Annotated[int, RenamedFrom("size")] = 1
    sku: str


class Receipt(BaseModel):
    currency: str
    note: str | None = None
    article: Annotated[Article, RenamedFrom("item")]
    total: int


def quote(
    article: Annotated[Article, RenamedFrom("item")], *, vat: int = 0, factor: int = 2
) -> Receipt:
    """Prices an article."""
    return Receipt(currency="EUR", total=article.length * factor + vat, article=article)
