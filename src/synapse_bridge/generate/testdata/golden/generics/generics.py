"""Instances of generic classes whose arguments are of one class in Python, or alike on the wire."""

import datetime
import enum
from collections import deque
from typing import Annotated, Generic, TypeVar

from pydantic import AnyUrl, BaseModel, EmailStr, Field, HttpUrl, NaiveDatetime, RootModel

from synapse_bridge import BigInt

T = TypeVar("T")
Whole = Annotated[int, BigInt]
Unsigned = Annotated[int, Field(ge=0, le=2**64 - 1)]


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    item: T


class Ids(RootModel[list[int]]):
    pass


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Pages(BaseModel):
    number: Page[int]
    whole: Page[Whole]
    unsigned: Page[Unsigned] | None = None
    instant: Page[datetime.datetime] | None = None
    clock: Page[NaiveDatetime] | None = None
    text: Page[str] | None = None
    email: Page[EmailStr] | None = None
    url: Page[AnyUrl] | None = None
    link: Page[HttpUrl] | None = None
    ids: Page[Ids] | None = None
    items: Page[list[int]] | None = None
    row: Page[tuple[int, ...]] | None = None
    queue: Page[deque[Whole]] | None = None
    flags: Page[Permission] | None = None
    page: Page[int] | Page[Whole] = Page[int](item=0)
    pages: list[Page[Unsigned] | Page[NaiveDatetime] | Page[datetime.datetime]] = []
    size: int | Whole = 0
    when: datetime.datetime | NaiveDatetime | None = None


_NOON = datetime.datetime(2024, 5, 1, 12, 30)

EXAMPLES = [
    Pages(number=Page[int](item=1), whole=Page[Whole](item=2**70)),
    Pages(
        number=Page[int](item=1),
        whole=Page[Whole](item=2),
        unsigned=Page[Unsigned](item=2**63),
        instant=Page[datetime.datetime](item=_NOON.replace(tzinfo=datetime.UTC)),
        clock=Page[NaiveDatetime](item=_NOON),
        text=Page[str](item="a"),
        email=Page[EmailStr](item="a@example.org"),
        url=Page[AnyUrl](item=AnyUrl("ftp://example.org/")),
        link=Page[HttpUrl](item=HttpUrl("https://example.org/")),
        ids=Page[Ids](item=Ids([1])),
        items=Page[list[int]](item=[1]),
        row=Page[tuple[int, ...]](item=(1,)),
        queue=Page[deque[Whole]](item=deque([2**70])),
        flags=Page[Permission](item=Permission.READ),
        page=Page[Whole](item=3),
        pages=[
            Page[Unsigned](item=2**64 - 1),
            Page[NaiveDatetime](item=_NOON),
            Page[datetime.datetime](item=_NOON.replace(tzinfo=datetime.UTC)),
        ],
        size=2**64,
        when=_NOON,
    ),
]


def echo(value: Pages) -> Pages:
    """Returns what it gets."""
    return value
