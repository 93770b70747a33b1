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
    RootOf,
    Scalar,
    SetOf,
    Streamed,
    TupleOf,
    Type,
    UnionRef,
)
from synapse_bridge.contract.wire import Entry, Slot, Wrapped, element, inside, slot

INT = Scalar("int64")
STR = Scalar("string")
INTS = ListOf(INT)
BY_NAME = MapOf(STR, INT)
NOT_EMPTY = ListOf(INT, Constraints(min_length=1))

EVERY_DEFAULT = [Required(), Literally(None), Literally(7), Dynamic()]


@pytest.mark.parametrize("default", EVERY_DEFAULT)
@pytest.mark.parametrize(
    "type_",
    [INT, STR, MessageRef("shop.Order"), UnionRef("shop.Order.payment"), TupleOf((INT, STR))],
)
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
    assert inside(Wrapped(INTS)) == (("items", Slot("repeated", INT)),)
    assert inside(Wrapped(SetOf(INT))) == (("items", Slot("repeated", INT, unique=True)),)
    assert inside(Wrapped(BY_NAME)) == (("entries", Slot("map", INT, STR)),)
    assert inside(Wrapped(Nullable(INT))) == (("value", Slot("optional", INT)),)
    assert inside(Wrapped(Nullable(INTS))) == (("value", Slot("optional", Wrapped(INTS))),)


def test_the_items_of_a_tuple_are_as_required_fields_are() -> None:
    assert inside(TupleOf((INT, INTS, Nullable(STR)))) == (
        ("item_1", Slot("optional", INT)),
        ("item_2", Slot("repeated", INT)),
        ("item_3", Slot("optional", STR)),
    )
    assert inside(TupleOf(())) == ()


def test_a_map_with_keys_that_protobuf_has_not_is_a_list_of_entries() -> None:
    """Of the same bytes as a map: there, too, ``key`` is field 1 and ``value`` field 2."""
    by_pair = MapOf(TupleOf((INT, INT)), INTS)
    assert slot(by_pair, Required()) == Slot("repeated", Entry(by_pair))
    assert inside(Entry(by_pair)) == (
        ("key", Slot("optional", TupleOf((INT, INT)))),
        ("value", Slot("optional", Wrapped(INTS))),
    )


def test_a_root_model_is_what_it_holds() -> None:
    assert slot(RootOf("m.Ids", "m", INTS), Required()) == Slot("repeated", INT)
    assert element(RootOf("m.Ids", "m", INTS)) == Wrapped(INTS)
    by_id = MapOf(RootOf("m.Id", "m", STR), INT)
    assert slot(by_id, Required()) == Slot("map", INT, STR)


@pytest.mark.parametrize("type_", [INT, MessageRef("shop.Order"), INTS, BY_NAME, Nullable(INT)])
def test_an_item_of_a_stream_is_as_in_a_list(type_: Type) -> None:
    assert slot(type_, Streamed()) == Slot("optional", element(type_))
