"""Paths are written as people write them."""

from __future__ import annotations

import pytest

from synapse_bridge.serve.path import path


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (("data", "age"), "data.age"),
        (("items", 0, "sku"), "items[0].sku"),
        (("prices", "EUR"), "prices.EUR"),
        (("prices", "odd key"), 'prices["odd key"]'),
        (("prices", 'a"b\\c'), 'prices["a\\"b\\\\c"]'),
        (("prices", "ä"), 'prices["ä"]'),
        (("prices", ""), 'prices[""]'),
        (("prices", "EUR", "[key]"), "prices.EUR"),
        (("by_number", -1, "name"), "by_number[-1].name"),
        (("[key]",), '["[key]"]'),
        ((), ""),
    ],
)
def test_a_location_is_written_as_a_path(location: tuple[str | int, ...], text: str) -> None:
    assert path(location) == text
