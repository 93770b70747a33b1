"""Enums and literals."""

from enum import Enum, IntEnum, StrEnum
from typing import Literal

from pydantic import BaseModel


class Currency(StrEnum):
    """What one pays with."""

    EUR = "EUR"
    """The euro."""
    US_DOLLAR = "$"


class Level(IntEnum):
    LOW = 1
    HIGH = 1_000_000


class Service(Enum):
    NEW = "new"
    OLD = "old"


Operator = Literal["+", "-", "<=", "in stock", "é", "and", "Bad", "#{x}", 'a"b', "it's", ""]


class Choice(BaseModel):
    currency: Currency
    level: Level = Level.HIGH
    service: Service | None = Service.OLD
    operator: Operator = "+"
    size: Literal[1, 2, -3] = 2
    yes: Literal[True] = True
    currencies: list[Currency] = [Currency.EUR]
    levels: dict[str, Level] = {}


EXAMPLES = [
    Choice(currency=Currency.EUR),
    Choice(
        currency=Currency.US_DOLLAR,
        level=Level.LOW,
        service=None,
        operator="#{x}",
        size=-3,
        currencies=[],
        levels={"a": Level.LOW, "b": Level.HIGH},
    ),
]


def calculate(operator: Operator, *, mode: Literal["fast", "exact"] = "exact") -> Level:
    """Calculates."""
    return Level.LOW


def operators(first: Operator) -> list[Literal["+", "it's"] | None]:
    """Lists operators."""
    return []


def echo(value: Choice) -> Choice:
    """Returns the choice."""
    return value
