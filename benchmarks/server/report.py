"""The tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from load import Load

OURS = "synapse_bridge"
TARGETS = {"hand-written": 1.2, "hand-written, uvloop": 0.95, "pydantic-rpc": 2.0}
"""How many times as fast as these ours has to be."""


def table(workload: str, loads: Mapping[str, Sequence[Load]]) -> str:
    """One line for each server: its speed and its cost, and how they compare with others'.

    A ratio is the median of the rounds' ratios, because only loads of one round are comparable.
    More is better in all of them.
    """
    head = ["calls/s", *(f"× {base}" for base in TARGETS), "CPU µs/call"]
    lines = [f"\n{workload:28}" + "".join(f"{text:>24}" for text in head)]
    for name, found in loads.items():
        cells = [f"{median(load.rate for load in found):,.0f}"]
        for base in TARGETS:
            speed, cost = _ratios(found, loads[base])
            cells.append(f"{speed:.2f} (CPU {cost:.2f})")
        cells.append(f"{median(load.cpu for load in found):.0f}")
        lines.append(f"{name:28}" + "".join(f"{text:>24}" for text in cells))
    return "\n".join(lines + _verdict(loads))


def _verdict(loads: Mapping[str, Sequence[Load]]) -> list[str]:
    lines = []
    for base, target in TARGETS.items():
        speed, cost = _ratios(loads[OURS], loads[base])
        word = "reached" if speed >= target else "missed"
        lines.append(
            f"{OURS} is to be ≥ {target} × {base}: {word}, {speed:.2f} × the calls per second, "
            f"{cost:.2f} × the calls per CPU second"
        )
    return lines


def _ratios(ours: Sequence[Load], theirs: Sequence[Load]) -> tuple[float, float]:
    """How many times as many calls per second, and per second of processor time."""
    pairs = list(zip(ours, theirs, strict=True))
    return median(a.rate / b.rate for a, b in pairs), median(b.cpu / a.cpu for a, b in pairs)
