"""Measures what more worker processes bring: calls per second of a function that burns 2 ms.

    python benchmarks/server/compare_workers.py [--rounds N] [--seconds S] [--workers N]

The same generated server runs with one worker and with several. ``h2load`` has 32 connections, so
that the kernel, which gives each connection to one of the workers, shares them out about evenly.
Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from contestants import generate
from load import cpu_seconds, require, run_h2load
from process import listening

BURN = 2
"""Milliseconds."""
CONNECTIONS = 32


def main() -> None:
    """Run the rounds and print the table."""
    options = _options()
    require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        generate(folder, "burning", "Burning")
        sys.path.insert(0, str(folder))
        pb: Any = importlib.import_module("burning_pb2")
        message = pb.BurnRequest(milliseconds=BURN).SerializeToString()
        body = folder / "body"
        body.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
        counts = (1, options.workers)
        servers = [stack.enter_context(_started(folder, count)) for count in counts]
        rates: list[list[float]] = [[] for _ in servers]
        costs: list[list[float]] = [[] for _ in servers]
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for (url, pids), rate, cost in zip(servers, rates, costs, strict=True):
                before = sum(map(cpu_seconds, pids))
                run = run_h2load(url, body, options.seconds, CONNECTIONS, 1)
                rate.append(run.rate)
                cost.append(1000 * (sum(map(cpu_seconds, pids)) - before) / run.calls)
    print(f"\n| workers | calls/s of {BURN} ms | × one worker | CPU ms/call |\n|---|---|---|---|")
    for count, rate, cost in zip(counts, rates, costs, strict=True):
        best, middle = max(rate) / max(rates[0]), median(rate) / median(rates[0])
        calls = f"{max(rate):,.0f} ({median(rate):,.0f})"
        spent = f"{min(cost):.2f} ({median(cost):.2f})"
        print(f"| {count} | {calls} | {best:.2f} ({middle:.2f}) | {spent} |")


@contextmanager
def _started(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """A server; the URL of its method, and the processes that answer."""
    arguments = ("--exit-with-parent", "--workers", str(workers))
    with listening(folder, folder / "burning_server.py", *arguments) as (address, pid):
        threads = Path(f"/proc/{pid}/task").iterdir()
        children = [int(pid) for one in threads for pid in (one / "children").read_text().split()]
        yield f"http://{address}/burning.v1.BurningService/Burn", children or [pid]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what workers bring.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load, per server and round")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
