"""Load by ``h2load``, and what it costs the server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from contestants import Target

CONNECTIONS = 4


@dataclass(frozen=True)
class Load:
    """One round: calls per second, and processor time of the server per call in microseconds."""

    rate: float
    cpu: float


def require() -> None:
    """Say what to do where ``h2load`` is missing."""
    if shutil.which("h2load") is None:
        sys.exit("h2load is not there. Install it: apt-get install nghttp2-client")


@dataclass(frozen=True)
class Run:
    """What ``h2load`` says: calls per second, and how many there were."""

    rate: float
    calls: int


def measure(target: Target, seconds: float, in_flight: int) -> Load:
    """Load a server for some seconds."""
    before = cpu_seconds(target.pid)
    run = run_h2load(target.url, target.body, seconds, CONNECTIONS, in_flight // CONNECTIONS)
    used = cpu_seconds(target.pid) - before
    return Load(run.rate, 1e6 * used / run.calls)


def run_h2load(
    url: str, body: Path, seconds: float, connections: int, streams: int, *headers: str
) -> Run:
    """Send a request again and again, ``streams`` at once on each connection."""
    output = subprocess.run(
        [
            *("h2load", "-D", f"{round(seconds * 1000)}ms", "-c", str(connections)),
            *("-m", str(streams), "-d", str(body)),
            *("-H", "content-type: application/grpc", "-H", "te: trailers"),
            *(part for header in headers for part in ("-H", header)),
            url,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", output)
    calls = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", output)
    if not rate or not calls or "0 failed, 0 errored" not in output:
        raise RuntimeError(f"h2load did not get through to {url}:\n{output}")
    return Run(float(rate[1]), int(calls[1]))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    return sum(psutil.Process(pid).cpu_times()[:2])
