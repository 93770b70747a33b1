"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from synapse_bridge.duration import milliseconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (5, 5000),
        (0.5, 500),
        (0.001, 1),
        ("500ms", 500),
        ("5s", 5000),
        ("1.5 s", 1500),
        ("2m", 120_000),
        ("1h", 3_600_000),
        (timedelta(seconds=1, milliseconds=5), 1005),
    ],
)
def test_lengths_of_time(written: Any, expected: int) -> None:
    assert milliseconds(written) == expected


@pytest.mark.parametrize(
    "written",
    [0, -1, "", "5", "5 d", "s", "-5s", True, None, 0.0001, "0s", float("nan"), float("inf"),
     timedelta(microseconds=1), timedelta(0)],
)  # fmt: skip
def test_what_is_none(written: Any) -> None:
    with pytest.raises(ValueError, match=r"length of time|milliseconds"):
        milliseconds(written)
