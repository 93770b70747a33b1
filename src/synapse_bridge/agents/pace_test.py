"""What takes long is done less often."""

from __future__ import annotations

import pytest

from synapse_bridge.agents.pace import Pace


@pytest.mark.parametrize(
    ("cost", "times"),
    [
        (0.0, 1024),
        (1 / 16, 1024),  # less than its share of the second between two pieces
        (1.0, 102),  # every tenth second, beside the first one
        (64.0, 2),
    ],
)
def test_it_has_its_share_of_the_time(cost: float, times: int) -> None:
    now = 0.0
    pace = Pace(lambda: now)
    done = 0
    for second in range(1024):
        now = max(now, float(second))
        if pace.is_due:
            done += 1
            with pace.timed():
                now += cost
    assert abs(done - times) <= times // 50


def test_a_few_times_it_is_done_whatever_the_time() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    done = 0
    while pace.is_due:
        done += 1
        with pace.timed():
            now += 1 / 64
    assert done == 8
    now += 1
    assert pace.is_due
