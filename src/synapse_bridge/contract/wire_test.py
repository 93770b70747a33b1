"""What the wire looks like for each type and default: the table of wire.py, row by row."""

from __future__ import annotations

import pytest

from synapse_bridge.contract import (
    Constraints,
    Default,
    Dynamic,
    ListOf,
    Literally,
    MapOf,
    MessageRef,
    Nullable,
    Required,
    Scalar,
    Type,
)
from synapse_bridge.contract.wire import Slot, Wrapped, element, inside, slot

INT = Scalar("int64")
STR = Scalar("string")
INTS = ListOf(INT)
BY_NAME = MapOf(STR, INT)
NOT_EMPTY = ListOf(INT, Constraints(min_length=1))

EVERY_DEFAULT = [Required(), Literally(None), Literally(7), Dynamic()]


@pytest.mark.parametrize("default", EVERY_DEFAULT)
@pytest.mark.parametrize("type_", [INT, STR, MessageRef("shop.Order")])
def test_a_single_value_always_has_presence(type_: Type, default: Default) -> None:
    assert slot(type_, default) == Slot("optional", element(type_))


@pytest.mark.parametrize("default", [Required(), Literally(None)])
def test_absent_is_none_where_none_is_all_it_can_mean(default: Default) -> None:
    assert slot(Nullable(INT), default) == Slot("optional", INT)
    assert slot(Nullable(INTS), default) == Slot("optional", Wrapped(INTS))
    assert slot(Nullable(BY_NAME), default) == Slot("optional", Wrapped(BY_NAME))


@pytest.mark.parametrize("default", [Literally(7), Dynamic()])
def test_none_and_absent_are_kept_apart_where_they_differ(default: Default) -> None:
    assert slot(Nullable(INT), default) == Slot("optional", Wrapped(Nullable(INT)))


@pytest.mark.parametrize(
    ("type_", "default"),
    [(INTS, Required()), (INTS, Literally([])), (NOT_EMPTY, Required())],
)
def test_a_list_is_repeated_where_absent_and_empty_are_one(type_: Type, default: Default) -> None:
    assert slot(type_, default) == Slot("repeated", INT)


@pytest.mark.parametrize(
    ("type_", "default"),
    [(INTS, Literally([1])), (INTS, Dynamic()), (NOT_EMPTY, Literally([]))],
)
def test_a_list_is_wrapped_where_empty_and_absent_differ(type_: ListOf, default: Default) -> None:
    assert slot(type_, default) == Slot("optional", Wrapped(type_))


def test_a_map_follows_the_rules_of_a_list() -> None:
    assert slot(BY_NAME, Required()) == Slot("map", INT, STR)
    assert slot(BY_NAME, Literally({})) == Slot("map", INT, STR)
    assert slot(BY_NAME, Literally({"a": 1})) == Slot("optional", Wrapped(BY_NAME))


def test_inner_containers_are_wrapped() -> None:
    assert slot(ListOf(INTS), Required()) == Slot("repeated", Wrapped(INTS))
    assert slot(MapOf(STR, INTS), Required()) == Slot("map", Wrapped(INTS), STR)
    assert slot(ListOf(Nullable(INT)), Required()) == Slot("repeated", Wrapped(Nullable(INT)))


def test_a_wrapper_has_one_field() -> None:
    assert inside(Wrapped(INTS)) == ("items", Slot("repeated", INT))
    assert inside(Wrapped(BY_NAME)) == ("entries", Slot("map", INT, STR))
    assert inside(Wrapped(Nullable(INT))) == ("value", Slot("optional", INT))
    assert inside(Wrapped(Nullable(INTS))) == ("value", Slot("optional", Wrapped(INTS)))
