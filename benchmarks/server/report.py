"""The tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from load import Load

BASES = ("hand-written", "hand-written, uvloop", "pydantic-rpc")


def table(workload: str, loads: Mapping[str, Sequence[Load]]) -> str:
    """One line for each server: medians, and ratios to those that ours is compared with.

    A ratio is the median of the rounds' ratios, because only loads of one round are comparable.
    """
    head = ["calls/s", "CPU µs/call", *(f"× {base}" for base in BASES)]
    lines = [f"\n{workload:28}" + "".join(f"{text:>24}" for text in head)]
    for name, found in loads.items():
        cells = [f"{median(x.rate for x in found):,.0f}", f"{median(x.cpu for x in found):.0f}"]
        for base in BASES:
            pairs = zip(found, loads[base], strict=True)
            cells.append(f"{median(ours.rate / theirs.rate for ours, theirs in pairs):.2f}")
        lines.append(f"{name:28}" + "".join(f"{text:>24}" for text in cells))
    return "\n".join(lines)
