"""Runs a bridge for a long time at a share of its load: is memory flat, is no call lost?

    PYTHONPATH=benchmarks python benchmarks/soak/soak.py [--minutes M] [--share S]

An Elixir client calls a generated Python server, unary calls and streams of every kind, over one
connection. At first as fast as both can, which says what they can take; from then on at ``--share``
of that. The server keeps a ledger of the calls, which tells those that came twice and those that
never came. After the first tenth of the time the memory of both sides is to stay what it is.

Exits with 1 if a call was lost, wrong or repeated, or if memory grew. Needed in PATH: elixir and
elixirc.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bridges import build, served

HERE: Final = Path(__file__).resolve().parent
MEGABYTE: Final = 1024 * 1024

GROWTH: Final = 1.1
"""How many times the memory at the begin the one at the end may be..."""
SLACK: Final = 8 * MEGABYTE
"""...and this more: allocators keep what they had."""


def main() -> int:
    """Run, and tell what became of it."""
    options = _options()
    missing = [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]
    if missing:
        print(f"not in PATH: {', '.join(missing)} (Debian: elixir)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ebin = build("--module=ledger", HERE, folder)
        with served(folder, HERE) as server:
            report = _soak(server.port, ebin, options.minutes, options.share)
    print(_table(report))
    faults = _faults(report)
    print("\n".join(faults) if faults else "flat, and no call lost or repeated")
    return 1 if faults else 0


def _soak(port: int, ebin: Path, minutes: float, share: float) -> dict[str, Any]:
    seconds = minutes * 60
    with subprocess.Popen(
        [
            *("elixir", "-pa", str(ebin), str(HERE / "soak.exs")),
            *(f"127.0.0.1:{port}", str(float(seconds)), str(float(share))),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as client:
        assert client.stdout
        last = ""
        for line in client.stdout:
            last = line
            if not line.startswith("{"):
                print(line, end="", flush=True)
    if client.returncode != 0:
        raise RuntimeError(f"the client ended with exit code {client.returncode}")
    report: dict[str, Any] = json.loads(last)
    return report


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['calls']:,} calls, {report['rate']:,} a second at {report['share']:.0%} load: "
        f"{report['wrong']} lost or wrong, {report['repeated']} repeated, "
        f"{report['missing']} never came",
        f"{'':24}{'begin':>14}{'end':>14}",
    ]
    for key, begin in report["begin"].items():
        end = report["end"][key]
        if key in _SIZES:
            cells = [f"{value / MEGABYTE:,.1f} MB" for value in (begin, end)]
        else:
            cells = [f"{value:,}" for value in (begin, end)]
        lines.append(f"{key.replace('_', ' '):24}{cells[0]:>14}{cells[1]:>14}")
    return "\n".join(lines)


_SIZES: Final = ("beam", "beam_resident", "server_resident")


def _faults(report: dict[str, Any]) -> list[str]:
    """What is not as it has to be."""
    faults = [
        f"{what}: {report[what]} calls" for what in ("wrong", "repeated", "missing") if report[what]
    ]
    if report["came"] != report["calls"]:
        faults.append(f"{report['calls']} calls were made, but {report['came']} came")
    for key in _SIZES:
        begin, end = report["begin"][key], report["end"][key]
        if end > begin * GROWTH + SLACK:
            faults.append(f"{key}: grew from {begin:,} to {end:,} bytes")
    if report["end"]["processes"] > report["begin"]["processes"]:
        faults.append("processes were left behind")
    return faults


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a bridge for a long time.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--share", type=float, default=0.7, help="of what both sides can take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
