"""Results of composite types are what their annotations say, or refused with the path."""

from __future__ import annotations

import collections
import collections.abc as abc
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field
from pydantic_core import ValidationError
from typing_extensions import TypeAliasType, TypedDict

from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.path import path

T = TypeVar("T")


class Point(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict):
    size: int
    note: NotRequired[str]


class Ids(RootModel[list[int]]):
    pass


class Page(BaseModel, Generic[T]):
    items: list[T]


@dataclass
class Box(Generic[T]):
    content: T


class Key(BaseModel):
    model_config = ConfigDict(frozen=True)

    n: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]

    name: str = ""


class Closed(BaseModel):
    name: str = ""


class Opened(Closed):
    model_config = ConfigDict(extra="allow")


class Priced(BaseModel):
    price: float

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorated properties
    @property
    def label(self) -> str:
        return "label" if self.price > 0 else 7  # type: ignore[return-value] # on purpose


WRONG: Any = ["a"]
Tree = TypeAliasType("Tree", "int | list[Tree]")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (tuple[int, ...], (1, 2)),
        (list[float], [0.5, float("nan")]),
        (list[float], [0.5, 1]),
        (tuple[int, str], (1, "a")),
        (tuple[()], ()),
        (collections.deque[int], collections.deque([1])),
        (abc.Sequence[int], [1]),
        (abc.Sequence[int], (1,)),
        (abc.Iterable[int], {1}),
        (set[int], {1}),
        (frozenset[str], frozenset("a")),
        (abc.Set[int], frozenset({1})),
        (set[Key], {Key(n=1)}),
        (dict[tuple[int, int], str], {(0, 0): "a"}),
        (dict[Key, int], {Key(n=1): 1}),
        (dict[tuple[Key, int], int], {(Key(n=1), 2): 1}),
        (abc.Mapping[str, int], collections.OrderedDict(a=1)),
        (collections.defaultdict[str, int], collections.defaultdict(int, a=1)),
        (collections.Counter[str], collections.Counter("a")),
        (Point, Point(1)),
        (Options, {"size": 1}),
        (Options, {"size": 1, "note": "n"}),
        (Ids, Ids([1])),
        (Page[int], Page[int](items=[1])),
        (Box[str], Box("a")),
        (Open, Open(name="n", one=1)),  # type: ignore[call-arg] # extra is allowed
        (Priced, Priced(price=1.0)),
        (Tree, [1, [2, []]]),
        (int | str | None, None),
        (list[int] | list[str], ["a"]),
        (Literal["a"] | int, "a"),
        (Closed | Point, Point(1)),
    ],
)
def test_what_fits_passes(annotation: Any, value: Any) -> None:
    checker(annotation).check(value)


def test_instances_of_one_generic_class_are_told_by_what_they_hold() -> None:
    """pydantic makes another class of each argument that it cannot hash."""
    for cls in (Page, Page[Any], Page[Annotated[int, Field(gt=0)]]):
        checker(Page[int]).check(cls(items=[1]))


@pytest.mark.parametrize(
    ("annotation", "value", "at"),
    [
        (tuple[int, ...], [1], ""),
        (tuple[int, str], (1,), "[1]"),
        (tuple[int, str], (1, None), "[1]"),
        (list[int], (1,), ""),
        (list[float], (0.5,), ""),
        (list[float], [0.5, 2**53 + 1], "[1]"),
        (list[float], [0.5, True], "[1]"),
        (collections.deque[int], [1], ""),
        (abc.Sequence[str], "text", ""),
        (abc.Sequence[int], {1}, ""),
        (abc.Iterable[int], iter([1]), ""),
        (abc.Iterable[str], {"a": 1}, ""),
        (set[int], [1], ""),
        (set[int], frozenset({1}), ""),
        (set[int], {"a"}, "[0]"),
        (dict[tuple[int, int], str], {(0, 0): 1}, '["(0, 0)"]'),
        (dict[Key, int], {Key(n=1): "a"}, "[0][1]"),
        (dict[tuple[Key, int], int], {(Key(n=1), "a"): 1}, "[0][0][1]"),
        (collections.Counter[str], {"a": 1}, ""),
        (Point, (1, 2), ""),
        (Point, Point("a"), "x"),  # type: ignore[arg-type] # on purpose
        (Options, {"note": "n"}, "size"),
        (Options, {"size": 1, "more": 2}, "more"),
        (Options, {"size": 1, "note": None}, "note"),
        (Ids, [1], ""),
        (Ids, Ids.model_construct(WRONG), "[0]"),
        (Page[int], Page[str](items=["a"]), "items[0]"),
        (Page[int], Closed(), ""),
        (Box[str], Box(1), "content"),
        (Open, Open.model_construct(name="n", one="1"), "one"),
        (Closed, Opened(name="n", one=1), ""),  # type: ignore[call-arg] # would lose it
        (Priced, Priced(price=0.0), "label"),
        (Tree, [1, ["a"]], "[1][0]"),
        (int | str, None, ""),
        (int | str, 1.5, ""),
        (bool | str, 1, ""),
        (list[int] | list[str], [1, "a"], ""),
        (Closed | Point, Closed.model_construct(name=1), "name"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(annotation: Any, value: Any, at: str) -> None:
    with pytest.raises(ValidationError) as raised:
        checker(annotation).check(value)
    assert at in [path(error["loc"]) for error in raised.value.errors()]


def test_a_value_that_holds_itself_is_refused() -> None:
    tree: list[Any] = []
    tree.append(tree)
    check = checker(Tree)
    assert check.recursive
    with pytest.raises(ValidationError, match="cyclic"):
        check.check(tree)
