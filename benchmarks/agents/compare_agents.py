"""Measures what streaming an agent's text to Elixir costs, beside the agent in a Python process.

    python benchmarks/agents/compare_agents.py [--rounds N] [--words N] [--runs N] [--seconds S]

The same agent, whose model says words as fast as it is asked for them, in a process of its own and
through its bridge, where Elixir takes the text. Rounds are interleaved. The difference, for a word,
is what the bridge costs. Then ``--runs`` runs go on at once for ``--seconds``, each with 20 words a
second, and the memory of both sides in the last quarter of the time is compared with that in the
second.

Beside what a clock says there is the processor time of all processes that take part, which other
work on the machine disturbs less.

Exits with 1 if a word costs more, or memory grows more, than it may. Needed in PATH: elixir and
elixirc.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
MEGABYTE: Final = 1024 * 1024
ENOUGH: Final = 150.0
"""Microseconds that a piece of text may cost."""
GROWTH: Final = 1.1
"""How many times the memory of the second quarter that of the last may be..."""
SLACK: Final = 8 * MEGABYTE
"""...and this more: allocators keep what they had."""
BOOT_SECONDS: Final = 60.0


def main() -> int:
    """Run the rounds, then the crowd, and print what came of them."""
    options = _options()
    missing = [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]
    if missing:
        print(f"not in PATH: {', '.join(missing)} (Debian: elixir)", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ebin = _build(folder)
        port, server = stack.enter_context(_served(folder))
        inside = stack.enter_context(_program(sys.executable, str(HERE / "in_process.py")))
        outside = stack.enter_context(
            _program("elixir", "-pa", str(ebin), str(HERE / "agents.exs"), str(port))
        )
        good = _compare(inside, outside, server, options.rounds, options.words)
        return 0 if _crowd(outside, server, options.runs, options.seconds) and good else 1


def _compare(inside: Program, outside: Program, server: int, rounds: int, words: int) -> bool:
    """Whether a piece of text costs no more than it may."""
    outside.ask(f"run {words // 4}")
    inside.ask(f"{words // 4}")
    own: list[Cost] = []
    bridged: list[Cost] = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds} …", flush=True)
        own.append(inside.cost(f"{words}", words))
        bridged.append(outside.cost(f"run {words}", words, server))
    print(f"\n{'µs for a piece of text':32}{'median':>10}{'best':>10}{'CPU':>10}")
    added = [Cost(b.time - a.time, b.cpu - a.cpu) for a, b in zip(own, bridged, strict=True)]
    for name, costs in (
        ("in a Python process", own),
        ("through the bridge, in Elixir", bridged),
        ("what the bridge adds", added),
    ):
        times = [cost.time for cost in costs]
        cpu = median(cost.cpu for cost in costs)
        print(f"{name:32}{median(times):>10.1f}{min(times):>10.1f}{cpu:>10.1f}")
    reached = median(cost.time for cost in added) <= ENOUGH
    print(f"≤ {ENOUGH:.0f} µs for a piece of text: {'reached' if reached else 'missed'}\n")
    return reached


def _crowd(outside: Program, server: int, runs: int, seconds: int) -> bool:
    """Whether the memory of both sides stays what it is while many runs go on."""
    print(f"{runs} runs at once, for {seconds} s …", flush=True)
    samples: list[tuple[float, int]] = []
    done = threading.Event()
    start = time.monotonic()

    def watch() -> None:
        while not done.wait(0.5):
            samples.append((time.monotonic() - start, _resident(server)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        complete, *beam = (int(text) for text in outside.ask(f"crowd {runs} {seconds}").split())
    finally:
        done.set()
        watcher.join()
    quarters = ((0.25, 0.5), (0.75, 1.0))
    python = [
        int(median(size for at, size in samples if begin * seconds <= at <= end * seconds))
        for begin, end in quarters
    ]
    print(f"{complete} runs were complete: {complete * 40 / seconds:,.0f} pieces of text a second")
    print(f"{'memory in MB':32}{'2nd quarter':>14}{'4th quarter':>14}")
    flat = True
    for name, (second, last) in (("Python, resident", python), ("the BEAM, in use", beam)):
        print(f"{name:32}{second / MEGABYTE:>14.1f}{last / MEGABYTE:>14.1f}")
        flat = flat and last <= second * GROWTH + SLACK
    print("flat" if flat else "memory grew")
    return flat


@dataclass(frozen=True)
class Cost:
    """Microseconds for a piece of text: by the clock, and of the processors."""

    time: float
    cpu: float


@dataclass(frozen=True)
class Program:
    """A process that answers a line with a line."""

    process: subprocess.Popen[str]

    def ask(self, question: str) -> str:
        """The answer to a question."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a program has ended with exit code {self.process.wait()}")
        return answer

    def cost(self, question: str, words: int, *others: int) -> Cost:
        """What a run of so many words costs; other processes that take part count, too."""
        processes = (self.process.pid, *others)
        before = sum(map(_busy, processes))
        seconds = float(self.ask(question))
        busy = sum(map(_busy, processes)) - before
        return Cost(seconds / words * 1e6, busy / words * 1e6)


@contextmanager
def _program(*command: str) -> Iterator[Program]:
    """Run a program; it ends when its input does."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    ) as process:
        yield Program(process)


def _build(folder: Path) -> Path:
    """The bridge, in ``folder``, and the compiled modules of its client with the runtime."""
    subprocess.run(
        [
            *(sys.executable, "-m", "synapse_bridge", "generate"),
            *("--agent=talk:writer_agent", f"--out={folder / 'bridge'}"),
        ],
        env=_environment(),
        check=True,
    )
    ebin = folder / "ebin"
    ebin.mkdir()
    for sources in (ROOT / "elixir" / "synapse_bridge", folder / "bridge" / "elixir"):
        files = sorted(str(path) for path in (sources / "lib").rglob("*.ex"))
        subprocess.run(["elixirc", "-pa", str(ebin), "-o", str(ebin), *files], check=True)
    return ebin


@contextmanager
def _served(folder: Path) -> Iterator[tuple[int, int]]:
    """The port and the process id of the generated server, which runs within."""
    port_file = folder / "port"
    with subprocess.Popen(
        [
            *(sys.executable, folder / "bridge" / "python" / "talk_server.py"),
            *("--port=0", f"--port-file={port_file}", "--exit-with-parent"),
        ],
        env=_environment(),
        stdin=subprocess.PIPE,
    ) as server:
        try:
            end = time.monotonic() + BOOT_SECONDS
            while not port_file.exists():
                if server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the server did not get ready")
                time.sleep(0.02)
            yield int(port_file.read_text()), server.pid
        finally:
            server.kill()


def _resident(pid: int) -> int:
    """Resident memory of a process in bytes (statm of proc(5))."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _busy(pid: int) -> float:
    """Processor time of a process so far in seconds (stat of proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(HERE), str(ROOT / "src")))}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what streaming an agent costs.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--words", type=int, default=2000, help="of each run")
    parser.add_argument("--runs", type=int, default=200, help="at once")
    parser.add_argument("--seconds", type=int, default=60, help="of the runs at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
