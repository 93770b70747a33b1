"""Measures servers side by side: what a call costs, from request bytes to response bytes.

    python benchmarks/server/compare_servers.py [--rounds N] [--seconds S] [--in-flight N]

Every server has a process and a port of its own, and serves the functions of ``orders.py``: a
greeting, and an order of usual size. ``h2load`` sends a prepared request again and again; rounds
are interleaved, so that all servers share the machine's good and bad moments. Before it is
loaded, every server has to give the right answer.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from contestants import CONTESTANTS, prepare, start
from load import Load, measure, require
from report import table


def main() -> None:
    """Run the rounds and print the tables."""
    options = _options()
    require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(folder, options.generated)
        targets = [
            target
            for contestant in CONTESTANTS
            for target in stack.enter_context(start(contestant, folder))
        ]
        loads: dict[tuple[str, str], list[Load]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for target in targets:
                load = measure(target, options.seconds, options.in_flight)
                loads.setdefault((target.workload, target.name), []).append(load)
    for workload in ("greeting", "order"):
        print(table(workload, {n: found for (w, n), found in loads.items() if w == workload}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure servers side by side.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of load, per server and round")
    parser.add_argument("--in-flight", type=int, default=64, help="calls at once")
    parser.add_argument("--generated", type=Path, help="a server that was generated before")
    return parser.parse_args()


if __name__ == "__main__":
    main()
