"""What the benchmarked servers stream: lines of 48 bytes, which make messages of 50."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

LINE = "2026-01-01T00:00:00Z INFO nothing happens here  "


async def tail(count: int) -> AsyncIterator[str]:
    """So many lines."""
    for _ in range(count):
        yield LINE


def tail_sync(count: int) -> Iterator[str]:
    """So many lines, from a sync function."""
    for _ in range(count):
        yield LINE


async def wait(count: int) -> AsyncIterator[str]:
    """So many lines, and then nothing."""
    for _ in range(count):
        yield LINE
    await asyncio.Event().wait()
