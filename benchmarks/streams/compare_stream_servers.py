"""Measures server streaming side by side: messages of 50 bytes, as fast as they go.

    python benchmarks/streams/compare_stream_servers.py [--rounds N] [--messages N]

Every server has a process and a port of its own, and streams the lines of ``lines.py``, on two
connections at once. ``h2load`` reads them. Rounds are interleaved, so that all servers share the
machine's good and bad moments. Before it is loaded, every server has to give the right lines.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import lines
import psutil

HERE = Path(__file__).resolve().parent
CONNECTIONS = 2
BASES = {"Tail": "hand-written", "TailSync": "hand-written, sync"}
TARGET = 0.8
"""How many times as fast as the hand-written server ours has to be."""


@dataclass(frozen=True)
class Contestant:
    """A server: its command line, and its names on the wire and in the table."""

    name: str
    command: tuple[str, ...]
    pb2: str
    service: str


CONTESTANTS = (
    Contestant("hand-written", ("handwritten_streams.py",), "streams_pb2", "handwritten.Lines"),
    Contestant(
        "hand-written, uvloop",
        ("handwritten_streams.py", "uvloop"),
        "streams_pb2",
        "handwritten.Lines",
    ),
    Contestant(
        "synapse_bridge",
        ("lines_server.py", "--exit-with-parent"),
        "lines_pb2",
        "lines.v1.LinesService",
    ),
    Contestant(
        "synapse_bridge, grpcio",
        ("lines_server.py", "--exit-with-parent", "--transport", "grpcio"),
        "lines_pb2",
        "lines.v1.LinesService",
    ),
)


@dataclass(frozen=True)
class Target:
    """What ``h2load`` is pointed at."""

    name: str
    method: str
    url: str
    body: Path
    pid: int


@dataclass(frozen=True)
class Load:
    """One round: messages per second, and the server's processor time for one in microseconds."""

    rate: float
    cpu: float


def main() -> None:
    """Run the rounds and print the table."""
    options = _options()
    if shutil.which("h2load") is None:
        sys.exit("h2load is not there. Install it: apt-get install nghttp2-client")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(folder)
        targets = [
            target
            for contestant in CONTESTANTS
            for target in stack.enter_context(start(contestant, folder, options.messages))
        ]
        loads: dict[str, list[Load]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for target in targets:
                loads.setdefault(target.name, []).append(_measure(target, options.messages))
    _report(loads)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure server streaming side by side.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--messages", type=int, default=20_000, help="per stream; there are two")
    return parser.parse_args()


def prepare(folder: Path) -> None:
    """Put what servers import into ``folder``: what protoc makes, and what we generate."""
    out = folder / "synapse_out"
    _run(folder, "-m", "synapse_bridge", "generate", "--module", "lines", "--out", str(out))
    shutil.copytree(out / "python", folder, dirs_exist_ok=True)
    outputs = (f"--python_out={folder}", f"--grpc_python_out={folder}")
    _run(folder, "-m", "grpc_tools.protoc", f"-I{HERE}", *outputs, "streams.proto")
    sys.path.insert(0, str(folder))


@contextmanager
def start(contestant: Contestant, folder: Path, messages: int) -> Iterator[list[Target]]:
    """Start a server, see that it answers rightly, and stop it in the end."""
    script, *arguments = contestant.command
    path = HERE / script if (HERE / script).exists() else folder / script
    server = subprocess.Popen(
        [sys.executable, str(path), *arguments],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    try:
        address = next(line.split()[-1] for line in server.stdout if "listening" in line)
        yield [
            _target(contestant, method, address, server.pid, folder, messages) for method in BASES
        ]
    finally:
        server.stdin.close()
        server.wait(timeout=10)


def _target(
    contestant: Contestant, method: str, address: str, pid: int, folder: Path, messages: int
) -> Target:
    pb: Any = importlib.import_module(contestant.pb2)
    request = getattr(pb, f"{method}Request", None) or pb.TailRequest
    response = getattr(pb, f"{method}Response", None) or pb.TailResponse
    path = f"/{contestant.service}/{method}"
    with grpc.insecure_channel(address) as channel:
        stub = channel.unary_stream(
            path, request.SerializeToString, response_deserializer=response.FromString
        )
        found = [answer.result for answer in stub(request(count=100), timeout=10)]
    if found != [lines.LINE] * 100:
        raise AssertionError(f"{contestant.name} gives {len(found)} lines, and not the right 100")
    body = request(count=messages).SerializeToString()
    file = folder / f"{contestant.service}.{method}.body"
    file.write_bytes(b"\0" + len(body).to_bytes(4, "big") + body)
    suffix = ", sync" if method == "TailSync" else ""
    return Target(contestant.name + suffix, method, f"http://{address}{path}", file, pid)


def _measure(target: Target, messages: int) -> Load:
    """Read one stream on each connection."""
    before = _cpu_seconds(target.pid)
    output = subprocess.run(
        [
            *("h2load", "-n", str(CONNECTIONS), "-c", str(CONNECTIONS), "-m", "1"),
            *("-w", "20", "-W", "24", "-d", str(target.body)),  # windows of 1 and 16 MiB
            *("-H", "content-type: application/grpc", "-H", "te: trailers", target.url),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = _cpu_seconds(target.pid) - before
    took = re.search(r"finished in ([\d.]+)(us|ms|s),", output)
    data = re.search(r"\((\d+)\) data", output)
    sent = CONNECTIONS * messages
    if not took or not data or int(data[1]) != sent * 55 or "0 failed, 0 errored" not in output:
        raise RuntimeError(f"h2load did not get all lines from {target.name}:\n{output}")
    seconds = float(took[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[took[2]]
    return Load(sent / seconds, 1e6 * used / sent)


def _report(loads: dict[str, list[Load]]) -> None:
    """The best round of each and the median; other work can only slow a server down."""
    print(f"\n{'':32}{'messages/s':>24}{'CPU µs/message':>20}{'× hand-written':>20}")
    for name, found in loads.items():
        base = loads["hand-written, sync" if name.endswith(", sync") else "hand-written"]
        ratios = [ours.rate / theirs.rate for ours, theirs in zip(found, base, strict=True)]
        rates, costs = [load.rate for load in found], [load.cpu for load in found]
        best = max(rates) / max(load.rate for load in base)
        cells = (
            f"{max(rates):,.0f} ({median(rates):,.0f})",
            f"{min(costs):.1f} ({median(costs):.1f})",
            f"{best:.2f} ({median(ratios):.2f})",
        )
        print(f"{name:32}{cells[0]:>24}{cells[1]:>20}{cells[2]:>20}")
        if name.startswith("synapse_bridge"):
            word = "reached" if best >= TARGET else "missed"
            print(f"  to be ≥ {TARGET} × hand-written: {word}")


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=HERE, env=_environment(folder), check=True)


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(HERE), *sys.path])}


if __name__ == "__main__":
    main()
