"""Measures clients side by side: how many unary calls one connection carries.

    python benchmarks/client/compare_clients.py [--rounds N] [--seconds S] [--in-flight N]
                                                [--runtime DIR | --ebin DIR]

All clients call the same fast server, ``nghttpd`` with one prepared answer, each from a process of
its own and on one connection: ``h2load``, which is the limit; the channel of our Elixir runtime;
and grpc.aio's. Rounds are interleaved, so that all share the machine's good and bad moments.

The runtime is compiled from its sources, ``elixir/synapse_bridge`` beside this folder's parent or
``--runtime``; ``--ebin`` names a folder of compiled modules instead. Needed in PATH: nghttpd and
h2load (Debian: nghttp2-server, nghttp2-client), elixir and elixirc.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from clients import (
    Client,
    H2load,
    Load,
    Question,
    aio_command,
    caller,
    compile_runtime,
    elixir_command,
)
from responder import ANSWER, PATH, REQUEST, responder

TOOLS = {
    "nghttpd": "nghttp2-server",
    "h2load": "nghttp2-client",
    "elixir": "elixir",
    "elixirc": "elixir",
}
RUNTIME = Path(__file__).resolve().parents[2] / "elixir" / "synapse_bridge"
LIMIT, OURS, PEER = "h2load", "synapse_bridge", "grpc.aio"

ENOUGH = 50_000
"""Calls per second to reach where h2load makes at least ``FAST``."""
FAST = 100_000
SHARE = 0.4
"""Part of h2load's calls to reach elsewhere."""


def main() -> int:
    """Run the rounds and print the table."""
    options = _options()
    missing = {tool: package for tool, package in TOOLS.items() if not shutil.which(tool)}
    if missing:
        print(f"not in PATH: {', '.join(missing)}", file=sys.stderr)
        print(f"Debian: apt-get install {' '.join(sorted(set(missing.values())))}", file=sys.stderr)
        return 2

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ebin = options.ebin or compile_runtime(options.runtime, folder)
        port = stack.enter_context(responder(folder))
        question = Question(port, PATH, REQUEST, ANSWER)
        clients: dict[str, Client] = {
            LIMIT: H2load(port, folder),
            OURS: stack.enter_context(caller(*elixir_command(question, ebin))),
            PEER: stack.enter_context(caller(*aio_command(question))),
        }
        for client in clients.values():
            client.measure(options.seconds, options.in_flight)
        loads: dict[str, list[Load]] = {name: [] for name in clients}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for name, client in clients.items():
                loads[name].append(client.measure(options.seconds, options.in_flight))

    print(_table(loads, options.in_flight))
    print(_verdict(loads))
    return 0


def _table(loads: dict[str, list[Load]], in_flight: int) -> str:
    """A line for each client. Ratios are medians of the rounds' ratios: only those compare."""
    head = ["calls/s", f"× {LIMIT}", f"× {PEER}", "CPU µs/call"]
    lines = [f"\n{in_flight} calls in flight".ljust(28) + "".join(f"{text:>16}" for text in head)]
    for name, found in loads.items():
        costs = [load.cpu for load in found if load.cpu is not None]
        cells = [
            f"{median(load.rate for load in found):,.0f}",
            f"{_ratio(found, loads[LIMIT]):.2f}",
            f"{_ratio(found, loads[PEER]):.1f}",
            f"{median(costs):.1f}" if costs else "",
        ]
        lines.append(name.ljust(27) + "".join(f"{text:>16}" for text in cells))
    return "\n".join(lines)


def _verdict(loads: dict[str, list[Load]]) -> str:
    """Whether ours is as fast as it is to be."""
    limit = median(load.rate for load in loads[LIMIT])
    ours = median(load.rate for load in loads[OURS])
    share = _ratio(loads[OURS], loads[LIMIT])
    reached = (limit >= FAST and ours >= ENOUGH) or share >= SHARE
    return (
        f"{OURS} is to make ≥ {ENOUGH:,} calls/s where {LIMIT} makes ≥ {FAST:,}, or "
        f"≥ {SHARE} × {LIMIT}: {'reached' if reached else 'missed'}"
    )


def _ratio(these: Sequence[Load], those: Sequence[Load]) -> float:
    return median(a.rate / b.rate for a, b in zip(these, those, strict=True))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure clients side by side.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load, per client and round")
    parser.add_argument("--in-flight", type=int, default=64, help="calls at once")
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="sources of the runtime")
    parser.add_argument("--ebin", type=Path, help="a folder with the compiled runtime")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
