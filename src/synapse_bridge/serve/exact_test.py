"""Results are checked exactly, and are not touched."""

from __future__ import annotations

import dataclasses
from enum import Enum, IntEnum, StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import ValidationError

from synapse_bridge.serve.exact import checker

UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Mode(StrEnum):
    FAST = "fast"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    def __post_init__(self) -> None:
        self.made = True


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


@dataclasses.dataclass
class Measured:
    """Its field is a property, a well-known way to compute it."""

    size: int

    @property  # type: ignore[no-redef] # as above
    def size(self) -> int:
        return self._size * 10

    @size.setter
    def size(self, size: int) -> None:
        self._size = size


@dataclasses.dataclass
class Point3(Point):
    z: int = 0


class Item(BaseModel):
    sku: str
    amount: float = 0.0

    @field_validator("sku")
    @classmethod
    def shout(cls, sku: str) -> str:
        return sku.upper() + "!"

    @cached_property
    def label(self) -> str:
        return self.sku


class Special(Item):
    bonus: int = 1


class Renamed(Item):
    pass


class Node(BaseModel):
    children: list[Node] = []


class ByValue(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    colour: Colour
    colours: list[Colour] = []


FITTING: list[tuple[Any, Any]] = [
    (None, None),
    (Any, [None, True, 2**70, 0.5, "é", b"", {"a": [{}]}]),
    (bool, True),
    (int, -(2**63)),
    (int, 2**63 - 1),
    (int, Level.LOW),
    (UserId, 5),
    (Annotated[int, Field(ge=0, le=2**64 - 1)], 2**64 - 1),
    (Annotated[int, Field(ge=0, lt=2**64)], 2**64 - 1),
    (float, 1.5),
    (float, float("nan")),
    (float, 3),
    (float, 2**60),
    (str, "ünïcödé 🐍"),
    (str, Mode.FAST),
    (bytes, b"\xff"),
    (int | None, None),
    (list[int | None], [1, None]),
    (dict[str, list[int]], {"a": [1]}),
    (dict[int, str], {1: "a"}),
    (dict[bool, str], {True: "a"}),
    (Colour, Colour.RED),
    (Literal["a", 1, True, None], True),
    (Point, Point(1)),
    (Slotted, Slotted(1)),
    (Measured, Measured(1)),
    (Item, Item(sku="a")),
    (Item, Renamed(sku="a")),
    (Node, Node(children=[Node(), Node()])),
    (ByValue, ByValue(colour=Colour.RED, colours=[Colour.RED])),
]

MISFITS: list[tuple[Any, Any, tuple[Any, ...], str]] = [
    (None, 0, (), "none_required"),
    (bool, 1, (), "bool_type"),
    (int, True, (), "int_type"),
    (int, 1.0, (), "int_type"),
    (int, "1", (), "int_type"),
    (int, None, (), "int_type"),
    (int, 2**63, (), "less_than_equal"),
    (int, -(2**63) - 1, (), "greater_than_equal"),
    (Annotated[int, Field(ge=0, le=2**64 - 1)], -1, (), "greater_than_equal"),
    (float, 2**53 + 1, (), "exact_float"),
    (float, 10**400, (), "exact_float"),
    (float, True, (), "exact_float"),
    (float, "1.5", (), "exact_float"),
    (str, b"x", (), "string_type"),
    (str, "a\ud800", (), "string_unicode"),
    (bytes, "x", (), "bytes_type"),
    (bytes, bytearray(b"x"), (), "bytes_type"),
    (list[str], "abc", (), "list_type"),
    (list[str], ("a",), (), "list_type"),
    (list[str], None, (), "list_type"),
    (list[int], [1, "2"], (1,), "int_type"),
    (dict[str, int], [("a", 1)], (), "dict_type"),
    (dict[str, int], {"a": None}, ("a",), "int_type"),
    (dict[str, int], {1: 1}, (1, "[key]"), "string_type"),
    (Colour, "red", (), "is_instance_of"),
    (Literal["a"], "b", (), "literal_error"),
    (Literal[1], True, (), "int_type"),
    (Point, {"x": 1}, (), "is_instance_of"),
    (Point, Point("1"), ("x",), "int_type"),  # type: ignore[arg-type] # that is the point
    (Point, Point3(1), (), "is_exact_instance_of"),
    (Item, Special(sku="a"), (), "is_exact_instance_of"),
    (Measured, Measured(2**62), ("size",), "less_than_equal"),
    (Item, Item.model_construct(sku=5), ("sku",), "string_type"),
    (Item, Item.model_construct(amount=1.0), ("sku",), "missing"),
    (list[Item], [Item(sku="a"), None], (1,), "is_instance_of"),
]


@pytest.mark.parametrize(("annotation", "value"), FITTING)
def test_a_fitting_result_passes(annotation: Any, value: Any) -> None:
    checker(annotation).check(value)


@pytest.mark.parametrize(("annotation", "value", "location", "rule"), MISFITS)
def test_a_misfit_is_found_where_it_is(
    annotation: Any, value: Any, location: tuple[Any, ...], rule: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        checker(annotation).check(value)
    assert [(e["loc"], e["type"]) for e in raised.value.errors()] == [(location, rule)]


def test_all_misfits_are_found_at_once() -> None:
    items = [Item.model_construct(sku=1, amount=None), Item.model_construct(sku=b"x")]
    with pytest.raises(ValidationError) as raised:
        checker(list[Item]).check(items)
    places = [error["loc"] for error in raised.value.errors()]
    assert places == [(0, "sku"), (0, "amount"), (1, "sku")]


def test_a_missing_attribute_of_a_dataclass_is_a_misfit() -> None:
    point = Slotted(1)
    del point.x
    with pytest.raises(ValidationError, match="Field required"):
        checker(Slotted).check(point)


def test_checking_runs_no_code_of_the_user_and_changes_nothing() -> None:
    item = Item(sku="a")
    assert item.sku == "A!"
    before = dict(item.__dict__)
    checker(Item).check(item)
    assert item.__dict__ == before  # The validator has not shouted again.
    point = Point(1)
    del point.made
    checker(Point).check(point)
    assert not hasattr(point, "made")


def test_a_cached_property_is_no_part_of_a_value() -> None:
    item = Item(sku="a")
    assert item.label == "A!"
    checker(Item).check(item)


def test_a_value_that_contains_itself_is_a_misfit() -> None:
    node = Node()
    node.children = [node]
    with pytest.raises(ValidationError, match="cyclic reference"):
        checker(Node).check(node)


@pytest.mark.parametrize(
    ("annotation", "recursive"),
    [(Node, True), (list[Node], True), (Item, False), (dict[str, Item], False), (str, False)],
)
def test_recursive_types_are_known(annotation: Any, recursive: bool) -> None:
    assert checker(annotation).recursive is recursive
