"""The tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from load import Load

OURS = "synapse_bridge"
TARGETS = {
    "raw bytes, uvloop": 0.75,
    "hand-written": 1.2,
    "hand-written, uvloop": 0.95,
    "pydantic-rpc": 2.0,
}
"""How many times as fast as these ours has to be."""


def table(workload: str, loads: Mapping[str, Sequence[Load]]) -> str:
    """One line for each server: its speed and cost, and how many times as fast as others it is.

    First the best round and then the median. Other work on the machine can only slow a server
    down, so the best round says most about the server, as with ``timeit``; the median tells how
    much else was going on.
    """
    head = ["calls/s", "CPU µs/call", *(f"× {base}" for base in TARGETS)]
    lines = [f"\n{workload:28}" + "".join(f"{text:>24}" for text in head)]
    for name, found in loads.items():
        rates, costs = [load.rate for load in found], [load.cpu for load in found]
        cells = [
            f"{max(rates):,.0f} ({median(rates):,.0f})",
            f"{min(costs):.0f} ({median(costs):.0f})",
        ]
        for base in TARGETS:
            best, middle = _times_as_fast(found, loads[base])
            cells.append(f"{best:.2f} ({middle:.2f})")
        lines.append(f"{name:28}" + "".join(f"{text:>24}" for text in cells))
    for base, target in TARGETS.items():
        best, middle = _times_as_fast(loads[OURS], loads[base])
        word = "reached" if best >= target else "missed"
        lines.append(f"to be ≥ {target} × {base}: {word}, {best:.2f} ({middle:.2f})")
    return "\n".join(lines)


def _times_as_fast(ours: Sequence[Load], theirs: Sequence[Load]) -> tuple[float, float]:
    """The ratio of the best rounds, and the median of the ratios within rounds."""
    ratios = (a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    return max(a.rate for a in ours) / max(b.rate for b in theirs), median(ratios)
