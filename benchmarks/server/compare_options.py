"""Measures what limits, credentials and logs cost a call: processor time with each option.

    python benchmarks/server/compare_options.py [--rounds N] [--seconds S]

The same generated server runs once with each set of options, and greets. Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from contestants import GREETING, generate
from load import cpu_seconds, require, run_h2load
from process import listening

TOKEN = "a-token-that-is-long-enough"
OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "none": (),
        "--max-deadline": ("--max-deadline", "60"),
        "--max-peer-calls": ("--max-peer-calls", "1000"),
        "--token-env": ("--token-env", "TOKENS"),
        "--token-env --access-log json": ("--token-env", "TOKENS", "--access-log", "json"),
    }
)


def main() -> None:
    """Run the rounds and print the table."""
    options = _options()
    require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        generate(folder, "orders", "Orders")
        sys.path.insert(0, str(folder))
        pb: Any = importlib.import_module("orders_pb2")
        message = pb.GreetRequest(data=GREETING).SerializeToString()
        body = folder / "body"
        body.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
        servers = {name: stack.enter_context(_started(folder, name)) for name in OPTIONS}
        costs: dict[str, list[float]] = {name: [] for name in OPTIONS}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for name, (url, pid) in servers.items():
                before = cpu_seconds(pid)
                header = f"authorization: Bearer {TOKEN}"
                run = run_h2load(url, body, options.seconds, 4, 16, header)
                costs[name].append(1e6 * (cpu_seconds(pid) - before) / run.calls)
    print("\n| options | CPU µs/call |\n|---|---|")
    for name, found in costs.items():
        print(f"| {name} | {min(found):.1f} ({median(found):.1f}) |")


@contextmanager
def _started(folder: Path, name: str) -> Iterator[tuple[str, int]]:
    """A server; the URL of its method, and its process."""
    with listening(
        folder,
        folder / "orders_server.py",
        *("--exit-with-parent", *OPTIONS[name]),
        extra={"TOKENS": f"load:{TOKEN}"},
        quiet=True,  # that is where the access log goes
    ) as (address, pid):
        yield f"http://{address}/orders.v1.OrdersService/Greet", pid


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what options cost.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of load, per server and round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
