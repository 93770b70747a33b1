"""Models that are nothing but one value."""

from __future__ import annotations

from pydantic import BaseModel, RootModel


class Ids(RootModel[list[int]]):
    """Numbers of things."""


class Name(RootModel[str]):
    pass


class Folder(RootModel["dict[str, Folder | int]"]):
    """A tree of sizes."""


class Roots(BaseModel):
    ids: Ids
    name: Name | None = None
    names: list[Name] = []
    by_name: dict[str, Ids] = {}
    either: Ids | Name | int = 1
    folder: Folder = Folder({})


EXAMPLES = [
    Roots(ids=Ids([])),
    Roots(
        ids=Ids([1]),
        name=Name("a"),
        names=[Name("b")],
        by_name={"x": Ids([2])},
        either=Name("c"),
        folder=Folder({"a": 1, "b": Folder({"c": 2})}),
    ),
]


def echo(value: Roots) -> Roots:
    """Returns what it gets."""
    return value


def count(ids: Ids) -> Name:
    """How many there are."""
    return Name(str(len(ids.root)))
