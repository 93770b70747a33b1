"""Measures calls of a real server side by side: how long one takes, and who works how much.

    python benchmarks/client/compare_calls.py [--rounds N] [--seconds S] [--in-flight N] [--sync]
                                              [--order] [--transport http2|grpcio]
                                              [--runtime DIR | --ebin DIR]

The channel of our Elixir runtime and grpc.aio's client call the same generated server, on one
connection each: one call after the other, for the median of their times; and many at once, for the
processor time of the client beside that of the server. Rounds are interleaved, so that both share
the machine's good and bad moments. The Erlang VM waits for work without spinning (``+sbwt none``):
what it burns in between would count as the work of calls.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import psutil
from clients import Question, aio_command, caller, compile_runtime, elixir_command

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "benchmarks" / "server" / "orders.py"
sys.path.insert(0, str(MODULE.parent))

from contestants import GREETING, ORDER  # noqa: E402 - found by the line above
from contestants import OURS as OURS_ON_THE_WIRE  # noqa: E402

RUNTIME = ROOT / "elixir" / "synapse_bridge"
OURS, PEER = "synapse_bridge", "grpc.aio"

SHARE = 0.4
"""The most that our client may need of the processor time that the server needs."""


@dataclass
class Found:
    """A client's rounds: times in microseconds, and parts of the server's processor time."""

    p50: list[float] = field(default_factory=list)
    p90: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)


def main() -> int:
    """Run the rounds and print the table."""
    options = _options()
    missing = [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]
    if missing:
        text = f"not in PATH: {', '.join(missing)} (Debian: apt-get install elixir)"
        print(text, file=sys.stderr)
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ebin = options.ebin or compile_runtime(options.runtime, folder)
        question, pid = stack.enter_context(_server(folder, options))
        clients = {
            OURS: stack.enter_context(caller(*elixir_command(question, ebin))),
            PEER: stack.enter_context(caller(*aio_command(question))),
        }
        found = {name: Found() for name in clients}
        for client in clients.values():
            client.measure(options.seconds, options.in_flight)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for name, client in clients.items():
                p50, p90 = client.ask(f"latency {options.seconds}")
                before = _cpu_seconds(pid)
                rate, cpu = client.ask(f"{options.seconds} {options.in_flight}")
                used = _cpu_seconds(pid) - before
                share = cpu * 1e-6 * rate * options.seconds / used
                for values, value in zip(
                    vars(found[name]).values(), (p50, p90, rate, share), strict=True
                ):
                    values.append(value)
    _report(found, options.in_flight)
    return 0


def _report(found: dict[str, Found], in_flight: int) -> None:
    """A line for each client: medians of the rounds. Ratios are medians of the rounds' ratios."""
    head = ["p50 µs", "p90 µs", f"calls/s of {in_flight}", "CPU ÷ server's"]
    print("\n" + " " * 20 + "".join(f"{text:>18}" for text in head))
    for name, rounds in found.items():
        p50, p90, rate = median(rounds.p50), median(rounds.p90), median(rounds.rate)
        share = median(rounds.share)
        print(f"{name:20}{p50:>18.0f}{p90:>18.0f}{rate:>18,.0f}{share:>18.2f}")
    ratio = median(a / b for a, b in zip(found[OURS].p50, found[PEER].p50, strict=True))
    share = median(found[OURS].share)
    print(f"p50 to be ≤ {PEER}'s: {'reached' if ratio <= 1 else 'missed'}, {ratio:.2f} of it")
    word = "reached" if share <= SHARE else "missed"
    print(f"client to need ≤ {SHARE} of the server's processor time: {word}, {share:.2f}")


@contextmanager
def _server(folder: Path, options: argparse.Namespace) -> Iterator[tuple[Question, int]]:
    """The generated server of a greeting or an order; what to ask it, and its process."""
    path = os.pathsep.join([str(folder / "out" / "python"), str(MODULE.parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run(
        [
            *(sys.executable, "-m", "synapse_bridge", "generate", "--module", MODULE.stem),
            *("--elixir-module", "Orders", "--out", str(folder / "out")),
        ],
        env=environment,
        check=True,
    )
    sys.path.insert(0, str(folder / "out" / "python"))
    pb: Any = importlib.import_module("orders_pb2")
    method = ("Price" if options.order else "Greet") + ("Sync" if options.sync else "")
    request = getattr(pb, f"{method}Request")(
        **(
            {"order": {**ORDER, "currency": OURS_ON_THE_WIRE.usd}}
            if options.order
            else {"data": GREETING}
        )
    ).SerializeToString()
    path = f"/orders.v1.OrdersService/{method}"
    with subprocess.Popen(
        [
            *(sys.executable, str(folder / "out" / "python" / "orders_server.py")),
            *("--exit-with-parent", "--transport", options.transport),
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        line = next(line for line in server.stdout if "listening" in line)
        port = int(line.rpartition(":")[2])
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            # What is answered once is the right answer.
            call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
            response: bytes = call(request, timeout=20)
        yield Question(port, path, request, response), server.pid
        assert server.stdin
        server.stdin.close()


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure calls of a server side by side.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load, per client and round")
    parser.add_argument("--in-flight", type=int, default=64, help="calls at once")
    parser.add_argument("--sync", action="store_true", help="call a function that is not async")
    parser.add_argument("--order", action="store_true", help="call with an order of usual size")
    parser.add_argument("--transport", choices=["http2", "grpcio"], default="http2")
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="sources of the runtime")
    parser.add_argument("--ebin", type=Path, help="a folder with the compiled runtime")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
