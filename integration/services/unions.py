"""Composite values: unions, sets, tuples, maps by any key, generic and open models.

Every function gives back what it gets, and some say which member or class Python saw, so that a
caller can tell that nothing was taken for something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Generic, Literal, NamedTuple, NotRequired, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, computed_field
from typing_extensions import TypeAliasType, TypedDict

__all__ = [
    "describe",
    "describe_animal",
    "describe_number",
    "describe_when",
    "echo",
    "echo_corner",
    "echo_grid",
    "echo_open",
    "echo_options",
    "echo_order",
    "echo_page",
    "echo_tags",
    "echo_tree",
    "misfit",
    "total",
]


class Card(BaseModel):
    """Has no field that tells it from a voucher."""

    number: str = ""


class GoldCard(Card):
    limit: int = 0


class Voucher(BaseModel):
    number: str = ""


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(9, ge=1)


class Dog(BaseModel):
    kind: Literal["dog", "wolf"] = "dog"
    name: str = ""


class Unit(Enum):
    METRE = "m"
    FOOT = "ft"


class Corner(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict):
    size: int
    note: NotRequired[str | None]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    following: T | None = None


class Ids(RootModel[list[int]]):
    pass


class Order(BaseModel):
    ids: Ids = Ids([])
    price: float
    count: int = 1

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorated properties
    @property
    def total(self) -> float:
        """What it costs."""
        return self.price * self.count


Animal = Annotated[Cat | Dog, Field(discriminator="kind")]
Payment = Card | GoldCard | Voucher | Literal["cash"]
Tree = TypeAliasType("Tree", "int | list[Tree]")
Upper = Annotated[int | str, BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)]


class Everything(BaseModel):
    payment: Payment = "cash"
    animals: list[Animal] = []
    number: bool | int | float | None = None
    value: list[int] | list[str] | dict[str, int] | Unit | bytes | str = ""
    by_day: dict[date, Animal | None] = {}
    upper: Upper = 0


def echo(value: Everything) -> Everything:
    """Returns its argument."""
    return value


def describe(payment: Payment) -> str:
    """The class of a payment."""
    return type(payment).__name__


def describe_animal(animal: Animal) -> str:
    """The class of an animal."""
    return type(animal).__name__


def describe_number(value: bool | int | float) -> str:
    """The type of a number."""
    return type(value).__name__


def describe_when(value: date | str) -> str:
    """Whether a day or text came, which may look like one."""
    return type(value).__name__


def echo_tags(value: set[str]) -> frozenset[str]:
    """Returns its argument."""
    return frozenset(value)


def echo_corner(value: Corner, pair: tuple[int, list[str]] = (0, [])) -> tuple[Corner, list[str]]:
    """Returns its arguments."""
    return value, pair[1] * pair[0]


def echo_grid(value: dict[tuple[int, int], Sequence[Unit]]) -> dict[tuple[int, int], list[Unit]]:
    """Returns its argument."""
    return {key: list(units) for key, units in value.items()}


def echo_tree(value: Tree) -> Tree:
    """Returns its argument."""
    return value


def echo_options(value: Options) -> Options:
    """Returns its argument."""
    return value


def echo_open(value: Open) -> Open:
    """Returns its argument."""
    return value


def echo_page(value: Page[Corner]) -> Page[Corner]:
    """Returns its argument."""
    return value


def echo_order(value: Order) -> Order:
    """Returns its argument."""
    return value


def total(tree: Tree) -> int:
    """The sum of the leaves."""
    return tree if isinstance(tree, int) else sum(map(total, tree))


class Cheap(BaseModel):
    card: Card
    pair: tuple[int, int] = (0, 0)
    tags: set[int] = set()


def misfit(what: Literal["subclass", "pair", "set"]) -> Cheap:
    """A result that its annotation does not allow."""
    wrong = {
        "subclass": Cheap.model_construct(card=GoldCard(number="1", limit=5)),
        "pair": Cheap.model_construct(card=Card(), pair=(1, 2, 3)),
        "set": Cheap.model_construct(card=Card(), tags=[1]),
    }
    return wrong[what]
