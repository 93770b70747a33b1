"""What the soak calls: functions of all kinds, and a ledger of the calls that came.

Each caller numbers its calls from 0 and makes one after the other, so the last number of each
caller is enough to tell a call that came twice, or never: the ledger does not grow with the calls.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel

_LAST: dict[int, int] = {}
_TALLY = {"calls": 0, "repeated": 0, "missing": 0}


class Ledger(BaseModel):
    """What came so far.

    Attributes:
        calls: All calls.
        repeated: Calls that had come before.
        missing: Calls that never came, though later ones of their caller did.
        resident: The memory of this process, in bytes.
        blocks: The memory blocks that Python's allocator holds.
    """

    calls: int
    repeated: int
    missing: int
    resident: int
    blocks: int


def _enter(caller: int, number: int) -> None:
    last = _LAST.get(caller, -1)
    _TALLY["calls"] += 1
    _TALLY["repeated"] += number <= last
    _TALLY["missing"] += max(0, number - last - 1)
    _LAST[caller] = max(last, number)


async def echo(caller: int, number: int, text: str) -> str:
    """The text."""
    _enter(caller, number)
    return text


async def count(caller: int, number: int, up_to: int) -> AsyncIterator[int]:
    """Numbers from 0."""
    _enter(caller, number)
    for item in range(up_to):
        yield item


async def add(caller: int, number: int, items: AsyncIterator[int]) -> int:
    """The sum of the numbers."""
    _enter(caller, number)
    return sum([item async for item in items])


async def double(caller: int, number: int, items: AsyncIterator[int]) -> AsyncIterator[int]:
    """Twice each number."""
    _enter(caller, number)
    async for item in items:
        yield item * 2


async def ledger() -> Ledger:
    """What came so far."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    return Ledger(**_TALLY, resident=resident, blocks=sys.getallocatedblocks())
