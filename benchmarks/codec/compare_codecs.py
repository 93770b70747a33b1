"""Measures the codec of the Elixir runtime beside one that is written by hand.

    python benchmarks/codec/compare_codecs.py [--rounds N] [--milliseconds N] [--runtime DIR]

Both encode and decode the same messages to and from the same bytes: one of 10 fields, an embedding
of 1,536 doubles, 1,000 nested messages, and one of 200 fields. The codec in ``by_hand.ex`` knows
each of them, checks nothing, and raises where bytes are broken. Measurements are interleaved, and
short, so that many of them are not interrupted; a ratio is that of the best times, with the median
of the rounds' ratios behind it. Then a message of 10 fields is compiled: how much processor time
its module takes.

Needed in PATH: elixir and elixirc. The runtime is compiled from its sources,
``elixir/synapse_bridge`` beside this folder's parent or ``--runtime``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RUNTIME = Path(__file__).resolve().parents[2] / "elixir" / "synapse_bridge"

ENOUGH = 1.3
"""How many times the time of the codec by hand ours may take."""
COMPILE_ENOUGH = 80.0
"""Milliseconds of processor time that the module of a message of 10 fields may take."""


def main() -> int:
    """Compile, measure, and print the table."""
    options = _options()
    if missing := [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]:
        print(
            f"not in PATH: {', '.join(missing)} (Debian: apt-get install elixir)", file=sys.stderr
        )
        return 2
    with tempfile.TemporaryDirectory() as folder:
        ebin = Path(folder)
        _compile(ebin, *sorted((options.runtime / "lib").rglob("*.ex")))
        _compile(ebin, HERE / "messages.ex", HERE / "by_hand.ex")
        numbers = [str(options.rounds), str(options.milliseconds)]
        rows = _elixir(ebin, HERE / "codecs.exs", *numbers)
        [[milliseconds]] = _elixir(ebin, HERE / "compile.exs")
    print(_table(rows))
    print(
        f"compiling a message of 10 fields: {float(milliseconds):.0f} ms of processor time "
        f"(at most {COMPILE_ENOUGH:.0f})"
    )
    slow = [" ".join(row[:2]) for row in rows if float(row[4]) > ENOUGH]
    print(f"≤ {ENOUGH} × by hand: {'missed by ' + ', '.join(slow) if slow else 'reached'}")
    return 0


def _compile(ebin: Path, *files: Path) -> None:
    command = ["elixirc", "-pa", str(ebin), "-o", str(ebin), *map(str, files)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _elixir(ebin: Path, script: Path, *arguments: str) -> list[list[str]]:
    """The rows that a script prints, columns apart by tabs."""
    command = ["elixir", "-pa", str(ebin), str(script), *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def _table(rows: list[list[str]]) -> str:
    head = ["ours ns", "by hand ns", "×", "median ×"]
    lines = [" " * 26 + "".join(f"{text:>12}" for text in head)]
    for message, direction, ours, by_hand, best, median in rows:
        cells = [
            f"{int(ours):,}",
            f"{int(by_hand):,}",
            f"{float(best):.2f}",
            f"{float(median):.2f}",
        ]
        lines.append(f"{message}, {direction}".ljust(26) + "".join(f"{c:>12}" for c in cells))
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the Elixir codec beside one by hand.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--milliseconds", type=int, default=1, help="of each measurement")
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="sources of the runtime")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
