"""What the workers are measured with: a function that needs the processor."""

from __future__ import annotations

import time


async def burn(milliseconds: int) -> int:
    """Uses the processor for so long; returns how often it has looked at the clock."""
    looks, end = 0, time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        looks += 1
    return looks
