"""Garbage collection while contracts are read and files are written."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collected_seldom"]

_SELDOM = 100_000
"""New objects between two collections; Python's own number is 700."""


@contextmanager
def collected_seldom() -> Iterator[None]:
    """While this lasts, or a function that it decorates, the collector runs seldom.

    What is made there lives until the end and holds no cycles, and a package's models are a million
    objects besides: looking through them again and again takes a fifth of the time, and the more
    the more there are. The thresholds are the process's, and are set back at the end.
    """
    before = gc.get_threshold()
    if 0 < before[0] < _SELDOM:
        gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
