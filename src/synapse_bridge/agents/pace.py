"""How often a thing is done that takes longer each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 0.1
"""Of the time that passes, what goes into it in the long run."""
CREDIT = 0.1
"""The seconds that may go into it before."""


class Pace:
    """Lets a thing be done as often as it may, until that takes more than its share of the time.

    So a thing that is quick, or done a few times, is done each time, and what takes long ever less
    often.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._credit = CREDIT
        self._seen = clock()

    @property
    def is_due(self) -> bool:
        """Whether it may be done now."""
        now = self._clock()
        self._credit = min(CREDIT, self._credit + (now - self._seen) * SHARE)
        self._seen = now
        return self._credit > 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """It is done in the block."""
        begun = self._clock()
        try:
            yield
        finally:
            self._credit -= self._clock() - begun
