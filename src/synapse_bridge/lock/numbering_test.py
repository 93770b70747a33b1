"""Numbers: whatever is done to the members, a number that was given once means one member."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_bridge.lock import Member, Renames, ServiceLock, Table, number
from synapse_bridge.lock.numbering import PROTOBUFS_OWN, renumber


def after(table: Table, *names: str, **renamed: str) -> Table:
    """The table for these members, all of one shape."""
    return renumber(table, [Member(name, "s") for name in names], renamed.get, lambda _: "s")


def test_members_are_numbered_as_they_come() -> None:
    assert after(Table(), "b", "a").numbers == {"b": 1, "a": 2}


def test_reordering_changes_nothing() -> None:
    table = after(Table(), "a", "b", "c")
    assert after(table, "c", "a", "b") == table


def test_a_new_member_gets_a_number_that_nothing_had() -> None:
    table = after(after(Table(), "a", "b", "c"), "a", "b")
    assert after(table, "x", "a", "b").numbers == {"a": 1, "b": 2, "x": 4}


def test_a_deleted_member_leaves_its_number_and_name() -> None:
    table = after(after(Table(), "a", "b"), "b")
    assert [(n, was.name) for n, was in table.reserved.items()] == [(1, "a")]


def test_a_member_that_comes_back_is_the_same_member() -> None:
    table = after(Table(), "a", "b")
    assert after(after(table, "b"), "b", "a") == table


def test_a_member_that_comes_back_with_another_shape_is_another() -> None:
    gone = after(after(Table(), "a", "b"), "b")
    back = renumber(gone, [Member("a", "other"), Member("b", "s")], lambda _: None, lambda _: "s")
    assert back.numbers == {"b": 2, "a": 3}
    assert list(back.reserved) == [1]


def test_a_renamed_member_keeps_its_number() -> None:
    table = after(after(Table(), "a", "b"), "b", "c", c="a")
    assert (dict(table.numbers), dict(table.reserved)) == ({"b": 2, "c": 1}, {})


def test_a_name_that_is_still_there_is_not_given_away() -> None:
    assert after(after(Table(), "a"), "a", "c", c="a").numbers == {"a": 1, "c": 2}


def test_numbers_of_protobuf_itself_are_left_out() -> None:
    table = after(Table({"a": PROTOBUFS_OWN.start - 1}), "a", "b")
    assert table.numbers["b"] == PROTOBUFS_OWN.stop


NAMES = st.sampled_from("abcdefgh")
STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, st.sampled_from("xy")), unique_by=lambda one: one[0], max_size=8),
        st.dictionaries(NAMES, NAMES, max_size=2),
    ),
    max_size=8,
)


@given(STEPS)
def test_no_number_ever_means_two_members(
    steps: list[tuple[list[tuple[str, str]], dict[str, str]]],
) -> None:
    """Members appear, vanish, change places and names at random."""
    table = Table()
    shapes: dict[str, str] = {}
    for members, renamed in steps:
        before = table
        found = [Member(name, shape) for name, shape in members]
        table = renumber(before, found, renamed.get, lambda name, known=shapes: known.get(name, ""))  # type: ignore[misc]
        given_out = [*table.numbers.values(), *table.reserved]
        assert len(given_out) == len(set(given_out))
        assert set(before.numbers.values()) | set(before.reserved) <= set(given_out)
        for name, n in table.numbers.items():
            known = before.numbers.get(name)
            assert known in (None, n), "a member that stays has its number"
            if n in before.numbers.values() and known is None:
                old = renamed[name]
                assert before.numbers[old] == n
                assert old not in table.numbers
            elif n in before.reserved:
                was = before.reserved[n]
                assert (was.name, was.shape) == (name, dict(members)[name])
        shapes = shapes | dict(members)


def test_each_kind_is_a_table_of_its_own() -> None:
    tables = number(
        ServiceLock(),
        {"messages": {"m.A": [Member("x")]}, "enums": {"m.A.x": [Member("y")]}, "unions": {}},
        Renames(),
        lambda *_: "",
    )
    assert tables["messages"]["m.A"].numbers == {"x": 1}
    assert tables["enums"]["m.A.x"].numbers == {"y": 1}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("shop.Order", "shop.Purchase"),
        ("shop.Order.status", "shop.Purchase.state"),
        ("shop.Page[shop.Order]", "shop.Page[shop.Purchase]"),
        ("shop.quote#request", "shop.price#request"),
        ("shop.OrderLine", "shop.OrderLine"),
        ("my.shop.Order", "my.shop.Order"),
    ],
)
def test_what_is_named_after_a_renamed_class_moves_with_it(new: str, old: str) -> None:
    renames = Renames(
        {"shop.Order": "Purchase", "shop.quote": "price", "shop.Order.status": "state"}
    )
    assert renames.owner(new) == old


def test_a_deleted_message_can_come_back() -> None:
    shapes = {("m.A", "x"): "s"}
    here = {"messages": {"m.A": [Member("x", "s")], "m.B": [Member("y", "s")]}}
    first = ServiceLock(number(ServiceLock(), here, Renames(), lambda *_: "s"))  # type: ignore[arg-type]
    gone = ServiceLock(
        number(
            first,
            {"messages": {"m.B": [Member("y", "s")]}},
            Renames(),
            lambda kind, owner, name: shapes.get((owner, name), ""),
        )
    )
    assert gone.table("messages")["m.A"].reserved[1].name == "x"
    back = number(gone, here, Renames(), lambda *_: "s")  # type: ignore[arg-type]
    assert back == first.tables
