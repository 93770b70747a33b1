"""Classes with fields of all kinds: generic, typed dicts, with extra and computed values."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, computed_field
from typing_extensions import NotRequired, TypedDict

T = TypeVar("T")
K = TypeVar("K", bound=str)


class Item(BaseModel):
    name: str = Field(alias="itemName", default="")
    price: float = 1.0

    @computed_field
    @property
    def label(self) -> str:
        """What to write on it."""
        return f"{self.name}: {self.price}"


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    following: T | None = None


@dataclass
class Box(Generic[T]):
    content: T


class Options(TypedDict, total=False):
    """What may be chosen."""

    size: int
    colours: list[str]


class Request(TypedDict):
    path: str
    options: NotRequired[Options]
    note: NotRequired[str | None]


class Open(BaseModel):
    """Takes more than it says."""

    model_config = ConfigDict(extra="allow")

    name: str


class Counts(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]

    extra: str = ""


class Structures(BaseModel):
    items: Page[Item] = Page[Item](items=[])
    numbers: Page[int] | None = None
    box: Box[int] = Box(1)
    boxes: list[Box[Page[int]]] = []
    request: Request = {"path": "/"}
    open: Open | None = None
    counts: Counts = Counts()


EXAMPLES = [
    Structures(),
    Structures(
        items=Page[Item](items=[Item(itemName="a")], following=Item(price=2.0)),
        numbers=Page[int](items=[1], following=2),
        box=Box(3),
        boxes=[Box(Page[int](items=[]))],
        request={"path": "/x", "options": {"size": 1, "colours": []}, "note": None},
        open=Open(name="n", other=[1, {"a": None}]),
        counts=Counts(extra="e", one=1, two=2),
    ),
]


def echo(value: Structures) -> Structures:
    """Returns what it gets."""
    return value


def find(request: Request) -> Page[Item]:
    """Finds items."""
    return Page[Item](items=[])
