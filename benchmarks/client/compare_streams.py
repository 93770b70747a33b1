"""Measures clients side by side: how many messages of a stream one connection brings.

    python benchmarks/client/compare_streams.py [--rounds N] [--seconds S] [--idle N]
                                                [--runtime DIR | --ebin DIR]

Both clients take 50-byte messages from the same fast server, which sends prepared frames, each from
a process of its own: the generated client of our Elixir runtime, whose values are decoded, and
grpc.aio's, whose messages stay bytes. Rounds are interleaved, so that both share the machine's good
and bad moments. Then ``--idle`` streams (10,000) are opened that bring nothing, in both forms that
the Elixir client has, and their memory is measured.

The runtime is compiled from its sources, ``elixir/synapse_bridge`` beside this folder's parent or
``--runtime``; ``--ebin`` names a folder of compiled modules instead. Needed in PATH: elixir and
elixirc.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from clients import HERE, Caller, Load, caller, compile_runtime

RUNTIME = Path(__file__).resolve().parents[2] / "elixir" / "synapse_bridge"
PATH = "/benchmark.StaticService/Lines"
OURS, PEER = "synapse_bridge", "grpc.aio"

ENOUGH = 1_000_000
"""Messages per second to reach."""
LIGHT = 20_000
"""Bytes that an idle stream may take."""


def main() -> int:
    """Run the rounds, and print what came of them."""
    options = _options()
    missing = [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]
    if missing:
        print(
            f"not in PATH: {', '.join(missing)} (Debian: apt-get install elixir)", file=sys.stderr
        )
        return 2

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ebin = options.ebin or compile_runtime(options.runtime, folder)
        port = stack.enter_context(responder())
        clients = {
            OURS: stack.enter_context(elixir(ebin, port)),
            PEER: stack.enter_context(
                caller(sys.executable, HERE / "aio_stream.py", str(port), PATH)
            ),
        }
        loads: dict[str, list[Load]] = {name: [] for name in clients}
        for client in clients.values():
            client.ask(f"{options.seconds}")
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for name, client in clients.items():
                loads[name].append(Load(*client.ask(f"{options.seconds}")))
        silent = stack.enter_context(responder("--silent"))
        print(f"opening {options.idle} idle streams, twice …", flush=True)
        weights = {}
        for form in ("enumerable", "messages"):
            with elixir(ebin, silent) as client:
                weights[form], _ = client.ask(f"idle {form} {options.idle}")

    print(_table(loads))
    for form, weight in weights.items():
        print(f"{options.idle:,} idle streams, as {form}: {weight:,.0f} bytes each")
    reached = median(load.rate for load in loads[OURS]) >= ENOUGH
    light = max(weights.values()) <= LIGHT
    print(f"≥ {ENOUGH:,} messages/s: {'reached' if reached else 'missed'}")
    print(f"≤ {LIGHT:,} bytes for an idle stream: {'reached' if light else 'missed'}")
    return 0


@contextmanager
def responder(*arguments: str) -> Iterator[int]:
    """Run the server; its port is returned."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "stream_responder.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def elixir(ebin: Path, port: int) -> Iterator[Caller]:
    """Run our client."""
    with caller("elixir", "-pa", ebin, HERE / "stream.exs", str(port)) as client:
        yield client


def _table(loads: dict[str, list[Load]]) -> str:
    """A line for each client. Ratios are medians of the rounds' ratios: only those compare."""
    head = ["messages/s", f"× {PEER}", "CPU µs/message"]
    lines = ["\n50-byte messages".ljust(28) + "".join(f"{text:>16}" for text in head)]
    for name, found in loads.items():
        ratios = [a.rate / b.rate for a, b in zip(found, loads[PEER], strict=True)]
        cells = [
            f"{median(load.rate for load in found):,.0f}",
            f"{median(ratios):.1f}",
            f"{median(load.cpu or 0 for load in found):.2f}",
        ]
        lines.append(name.ljust(27) + "".join(f"{text:>16}" for text in cells))
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure clients of a stream side by side.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load, per client and round")
    parser.add_argument("--idle", type=int, default=10_000, help="streams that bring nothing")
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="sources of the runtime")
    parser.add_argument("--ebin", type=Path, help="a folder with the compiled runtime")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
