"""Calls end in time, each at its own, and nothing is left of those that end before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from synapse_bridge.serve.conftest import in_loop
from synapse_bridge.serve.gate.deadlines import Deadlines, Expired


@in_loop
async def test_each_call_has_its_own_time() -> None:
    deadlines = Deadlines(0.2)
    ends = []

    async def call(start: float) -> None:
        await asyncio.sleep(start)
        began = asyncio.get_running_loop().time()
        with pytest.raises(Expired):
            await deadlines.within(asyncio.sleep(20))
        ends.append((start, asyncio.get_running_loop().time() - began))

    await asyncio.gather(*(call(start) for start in (0.0, 0.1, 0.15)))
    assert [start for start, _ in ends] == [0.0, 0.1, 0.15]
    assert all(took > 0.19 for _, took in ends)


@in_loop
async def test_what_ends_in_time_goes_on_as_it_ended() -> None:
    deadlines = Deadlines(20)

    async def fail() -> None:
        raise TimeoutError("its own")

    assert await deadlines.within(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(TimeoutError, match="its own"):
        await deadlines.within(fail())
    assert not deadlines._running


@in_loop
async def test_one_that_is_cancelled_from_outside_is_cancelled() -> None:
    deadlines = Deadlines(20)
    task = asyncio.create_task(deadlines.within(asyncio.sleep(20)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert not deadlines._running


@in_loop
async def test_a_task_is_not_cancelled_any_more_after_its_time() -> None:
    task: Any = asyncio.current_task()
    with pytest.raises(Expired):
        await Deadlines(0.01).within(asyncio.sleep(20))
    assert task.cancelling() == 0
    await asyncio.sleep(0)  # It goes on.


@in_loop
async def test_one_that_does_not_listen_is_let_go() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            return "anyway"
        return "late"

    task: Any = asyncio.current_task()
    assert await Deadlines(0.01).within(stubborn()) == "anyway"
    assert task.cancelling() == 0
