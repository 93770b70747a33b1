"""Collections get rare for a time, and only for that."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from synapse_bridge.garbage import collected_seldom


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_collector_runs_seldom_until_the_end() -> None:
    gc.set_threshold(700, 8, 9)

    @collected_seldom()
    def during() -> tuple[int, int, int]:
        with collected_seldom():  # one inside the other
            pass
        return gc.get_threshold()

    assert during() == (100_000, 8, 9)
    assert gc.get_threshold() == (700, 8, 9)
    with pytest.raises(ZeroDivisionError), collected_seldom():
        _ = 1 / 0
    assert gc.get_threshold() == (700, 8, 9)


@pytest.mark.parametrize("own", [(0, 10, 10), (10**6, 10, 10)])
def test_who_wants_it_never_or_more_seldom_gets_that(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with collected_seldom():
        assert gc.get_threshold() == own
