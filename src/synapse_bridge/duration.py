"""Lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

_TEXT = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h)")
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}


def milliseconds(value: float | str | timedelta) -> int:
    """``5``, ``0.5`` (seconds), ``"500ms"``, ``"5s"``, ``"2m"``, ``"1h"`` or a ``timedelta``, in
    whole milliseconds.

    Raises ``ValueError`` for what is none of these, shorter than a millisecond, or no whole number
    of them.
    """
    match value:
        case timedelta():
            exact = Fraction(value // timedelta(microseconds=1), 1_000_000)
        case str() if found := _TEXT.fullmatch(value):
            exact = Fraction(found[1]) * _SECONDS[found[2]]
        case int() | float() if not isinstance(value, bool) and abs(value) < 1e12:
            exact = Fraction(str(value))
        case _:
            raise ValueError(f"{value!r} is no length of time, as `5s`, `500ms`, `2m` or `1h` are")
    whole = exact * 1000
    if whole < 1 or whole.denominator != 1:
        raise ValueError(f"{value!r} is not a positive number of milliseconds")
    return int(whole)
