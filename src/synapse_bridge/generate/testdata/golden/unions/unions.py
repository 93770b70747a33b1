"""Unions of models and of anything else, with and without a discriminator."""

import datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, Discriminator, Field, Tag
from typing_extensions import TypeAliasType


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str = ""


class Dog(BaseModel):
    kind: Literal["dog", "wolf"] = "dog"
    name: str = ""


class Card(BaseModel):
    number: str


class GoldCard(Card):
    limit: int = 0


class Unit(Enum):
    METRE = "m"
    FOOT = "ft"


def _shape(value: Any) -> str:
    return "square" if "side" in value else "circle"


class Circle(BaseModel):
    radius: float


class Square(BaseModel):
    side: float


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Form = Annotated[
    Annotated[Circle, Tag("circle")] | Annotated[Square, Tag("square")], Discriminator(_shape)
]
Tree = TypeAliasType("Tree", "int | list[Tree] | None")


class Holder(BaseModel):
    number: int | float
    flag: bool | int = 0
    payment: Card | GoldCard | None = None
    pet: Pet = Field(default_factory=Cat)
    forms: list[Form] = []
    items: list[int] | list[str] | dict[str, int] = []
    nested: Union[Annotated[Cat | Dog, Field(discriminator="kind")], int, str] = 1
    mode: str | Literal["fast", "slow"] = "fast"
    limit: Literal["none"] | int = 0
    foot: Literal[Unit.FOOT, "yard"] | int = 0
    unit: Unit | float | bytes = Unit.METRE
    when: datetime.datetime | datetime.date | str = ""
    tree: Tree = None
    by_name: dict[str, int | str] = {}
    payload: dict[str, Any] | Card | Circle = {}


EXAMPLES = [
    Holder(number=1),
    Holder(number=1.0, flag=True, payment=Card(number="1"), pet=Dog(kind="wolf")),
    Holder(number=2, flag=1, payment=GoldCard(number="1", limit=2), forms=[Circle(radius=1.0)]),
    Holder(number=3, items=["a"], nested=Dog(), mode="other", limit="none", unit=0.5),
    Holder(number=4, items={"a": 1}, nested="s", limit=3, unit=b"m"),
    Holder(number=5, when=datetime.date(2020, 1, 2), tree=[1, [2, None], []]),
    Holder(number=6, when="2020-01-02", by_name={"a": 1, "b": "1"}),
    Holder(number=7, payload={"number": "1"}),
    Holder(number=8, payload=Card(number="1")),
    Holder(number=9, foot=Unit.FOOT),
    Holder(number=10, foot="yard"),
]


def echo(value: Holder) -> Holder:
    """Returns what it gets."""
    return value


def pay(by: Card | Literal["cash"], amount: int | str = 0) -> Card | Literal["cash"] | None:
    """Pays."""
    return by
