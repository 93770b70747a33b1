"""Broken requests are read with all that is in them, or refused with the errors for it."""

from __future__ import annotations

from fuzz_converters import run


def test_broken_requests_are_read_whole_or_refused() -> None:
    counts = run(20_000, seed=1)
    assert counts[True] > 500
    assert counts[False] > 5000
