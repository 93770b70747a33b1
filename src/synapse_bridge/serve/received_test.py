"""Sets, maps and tuples from the wire are looked at before Python makes them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from synapse_bridge.serve.received import entries, missing, unique, with_extra
from synapse_bridge.serve.unreadable import checked


class Key(BaseModel):
    model_config = ConfigDict(frozen=True)

    n: int


def refused(make: Any) -> tuple[tuple[int | str, ...], str]:
    """Where and why a request is refused of which one value is made by ``make``."""
    with pytest.raises(ValidationError) as raised:
        checked(lambda _: {"value": [0, make()]})(None)
    (error,) = raised.value.errors()
    return error["loc"], error["type"]


@pytest.mark.parametrize("items", [[1, 1], ["a", "b", "a"], [{"n": 1}, {"n": 1}], [(1, 2), (1, 2)]])
def test_a_set_with_an_item_twice_is_refused(items: list[Any]) -> None:
    assert refused(lambda: unique(items)) == (("value", 1), "unreadable")


@pytest.mark.parametrize("items", [[], [1, 2], [1, True, 1.0], [{"n": 1}, {"n": 2}]])
def test_a_set_of_different_items_is_as_it_was(items: list[Any]) -> None:
    assert unique(items) is items


def test_a_map_may_have_keys_that_are_not_hashable_yet() -> None:
    made = entries([({"n": 1}, "a"), ({"n": 2}, "b")])
    assert TypeAdapter(dict[Key, str]).validate_python(made) == {Key(n=1): "a", Key(n=2): "b"}
    assert (len(made), list(made), made[{"n": 2}]) == (2, [{"n": 1}, {"n": 2}], "b")


def test_a_map_with_a_key_twice_is_refused() -> None:
    assert refused(lambda: entries([((0, 0), 1), ((0, 0), 2)])) == (("value", 1), "unreadable")


def test_what_is_wrong_inside_a_map_is_found() -> None:
    loc, rule = refused(lambda: entries([("a", missing())]))
    assert (loc, rule) == (("value", 1, "a"), "missing")


def test_an_item_of_a_tuple_that_was_not_sent_is_missing() -> None:
    assert refused(lambda: (1, missing())) == (("value", 1, 1), "missing")


def test_extra_values_stand_beside_fields_and_never_replace_one() -> None:
    assert with_extra({"a": 1}, {"b": 2}, ("a", "c")) == {"a": 1, "b": 2}
    assert refused(lambda: with_extra({}, {"c": 2}, ("a", "c"))) == (("value", 1), "unreadable")
