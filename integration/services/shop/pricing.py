"""Prices orders.

Amounts are integers, in hundredths of the order's currency.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from shop.models import (
    Cents,
    Currency,
    Customer,
    Discount,
    Line,
    Order,
    PricedLine,
    Priority,
    Quote,
    Sku,
    StockLevel,
)

__all__ = [
    "approve",
    "article_count",
    "cheapest",
    "convert",
    "greet",
    "lookup",
    "ping",
    "price",
    "prices",
    "receipt_total",
    "reserve",
    "stock",
]

_PRICES = {"ABC-0001": 1_999, "ABC-0002": 250, "XYZ-1000": 120_000}
_RATES = {Currency.EUR: 1.0, Currency.USD: 1.1, Currency.JPY: 160.0}
_UNIT_SIZES = {"piece": 1, "box": 12, "pallet": 480}
_SHIPPING_DAYS = {Priority.LOW: None, Priority.NORMAL: 3, Priority.HIGH: 1}
_DATABASE_URL = "postgres://shop:hunter2@database.internal/shop"


class UnknownArticle(LookupError):
    """No article has this number."""


class OutOfStock(Exception):
    """The warehouse holds less than what was asked for."""

    def __init__(self, sku: str, missing: int) -> None:
        super().__init__(f"{missing} pieces of {sku} are missing")
        self.sku = sku
        self.missing = missing


def ping() -> None:
    """Does nothing. Answers, which is the point."""


def article_count() -> int:
    """Counts the articles on sale."""
    return len(_PRICES)


def price(order: Order, *, vip: bool = False, rounding: Annotated[int, Field(ge=1)] = 1) -> Quote:
    """Prices an order.

    Discounts apply in the given order, each to what the one before left.

    Args:
        order: What to price.
        vip: Grants another 10 %.
        rounding: Totals are rounded down to a multiple of this many cents.

    Returns:
        The quote, line by line.

    Raises:
        UnknownArticle: If a line names an article that the shop does not sell.

    Examples:
        >>> price(Order(customer=Customer(id=1, name="Ada"), lines=[Line(sku="ABC-0002")])).total
        250
    """
    lines = [_price_line(line) for line in order.lines]
    subtotal = sum(line.total for line in lines)
    total = float(subtotal)
    for discount in order.discounts:
        if subtotal >= discount.minimum:
            total *= 1 - discount.percent / 100
    if vip:
        total *= 0.9
    rounded = round(total) // rounding * rounding
    return Quote(
        reference=order.reference,
        currency=order.currency,
        lines=lines,
        subtotal=subtotal,
        discount=subtotal - rounded,
        total=rounded,
        by_sku={line.line.sku: line.total for line in lines},
        shipping_days=_SHIPPING_DAYS[order.priority],
        warnings=[] if order.ship_to else ["no shipping address"],
    )


def prices(orders: dict[str, Order], common_discounts: list[Discount] = []) -> dict[str, Quote]:  # noqa: B006 - a default as users write them
    """Prices many orders at once.

    Args:
        orders: The orders, by a name that the caller chooses.
        common_discounts: Granted on top of each order's own.
    """
    return {
        name: price(order.model_copy(update={"discounts": order.discounts + common_discounts}))
        for name, order in orders.items()
    }


def cheapest(lines: list[Line]) -> Line | None:
    """Finds the line with the lowest price, or ``None`` among no lines."""
    return min(lines, key=lambda line: _price_line(line).total, default=None)


def convert(amount: Cents, to: Currency, source: Currency = Currency.EUR) -> float:
    """Converts an amount between currencies.

    Args:
        amount: In hundredths of ``source``.
        to: The currency wanted.
        source: The currency given.

    Returns:
        The amount, in hundredths of ``to``.
    """
    return amount * _RATES[to] / _RATES[source]


def stock(skus: list[Sku], *, warehouse: str | None = None) -> dict[str, StockLevel]:
    """Tells how much there is of each article.

    Args:
        skus: The articles to look up.
        warehouse: Limits the answer to one warehouse.
    """
    everywhere = {"Berlin": 7, "Zürich": 0}
    held = {name: n for name, n in everywhere.items() if warehouse in (None, name)}
    return {sku: StockLevel(sku, held, None if any(held.values()) else 5) for sku in skus}


def greet(customer: Customer, salutation: str | None = "Dear") -> str:
    """Greets a customer.

    Args:
        customer: Who is greeted.
        salutation: Precedes the name; ``None`` leaves it away.
    """
    return customer.name if salutation is None else f"{salutation} {customer.name}"


def reserve(sku: Sku, quantity: Annotated[int, Field(ge=1)]) -> None:
    """Sets articles aside.

    Raises:
        UnknownArticle: If the shop does not sell it.
        OutOfStock: If there are fewer than ``quantity``.
    """
    _unit_price(sku)
    if quantity > 7:
        raise OutOfStock(sku, quantity - 7)


def lookup(key: str) -> str:
    """Looks something up in the shop's database, and fails in the way that ``key`` says.

    Raises:
        PermissionError: If ``key`` is ``"private"``.
        NotImplementedError: If ``key`` is ``"future"``.
        TimeoutError: If ``key`` is ``"slow"``.
        UnknownArticle: If ``key`` is ``"missing"``.
        ValueError: If ``key`` is empty.
    """
    if not key:
        raise ValueError("key is empty")
    match key:
        case "private":
            raise PermissionError("not yours")
        case "future":
            raise NotImplementedError("next year")
        case "slow":
            raise TimeoutError("the database is slow")
        case "missing":
            raise UnknownArticle(key)
        case "secret":
            raise RuntimeError(f"cannot connect to {_DATABASE_URL}")
    return key


def approve(order: Order, *, approver: str, limit: Cents | None = 100_000) -> bool:
    """Approves an order on behalf of somebody.

    Args:
        order: What to approve.
        approver: Who answers for it.
        limit: The highest total that passes; ``None`` lets every order pass.
    """
    return bool(approver) and (limit is None or price(order).total <= limit)


def receipt_total(receipt: str) -> int:
    """Reads the total from a receipt in JSON, and trusts it to be an integer."""
    total: int = json.loads(receipt)["total"]
    return total


def _price_line(line: Line) -> PricedLine:
    unit_price = _unit_price(line.sku) * _UNIT_SIZES[line.unit]
    return PricedLine(line=line, unit_price=unit_price, total=unit_price * line.quantity)


def _unit_price(sku: str) -> int:
    try:
        return _PRICES[sku]
    except KeyError:
        raise UnknownArticle(f"no article {sku}") from None
