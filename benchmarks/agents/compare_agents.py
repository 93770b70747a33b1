"""Measures what streaming an agent's text to Elixir costs, beside the agent in a Python process.

    PYTHONPATH=benchmarks python benchmarks/agents/compare_agents.py [--rounds N] [--words N]
        [--runs N] [--seconds S]

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

import psutil
from bridges import build, environment, served

HERE: Final = Path(__file__).resolve().parent
MEGABYTE: Final = 1024 * 1024
ENOUGH: Final = 150.0
"""Microseconds that a piece of text may cost."""
GROWTH: Final = 1.1
"""How many times the memory of the second quarter that of the last may be..."""
SLACK: Final = 8 * MEGABYTE
"""...and this more: allocators keep what they had."""


def main() -> int:
    """Run the rounds, then the crowd, and print what came of them."""
    options = _options()
    missing = [tool for tool in ("elixir", "elixirc") if not shutil.which(tool)]
    if missing:
        print(f"not in PATH: {', '.join(missing)} (Debian: elixir)", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ebin = build("--agent=talk:writer_agent", HERE, folder)
        server = stack.enter_context(served(folder, HERE))
        inside = stack.enter_context(_program(sys.executable, str(HERE / "in_process.py")))
        outside = stack.enter_context(
            _program("elixir", "-pa", str(ebin), str(HERE / "agents.exs"), str(server.port))
        )
        good = _compare(inside, outside, server.pid, options.rounds, options.words)
        return 0 if _crowd(outside, server.pid, options.runs, options.seconds) and good else 1


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
            samples.append((time.monotonic() - start, psutil.Process(server).memory_info().rss))

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
        before = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes)
        seconds = float(self.ask(question))
        busy = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes) - before
        return Cost(seconds / words * 1e6, busy / words * 1e6)


@contextmanager
def _program(*command: str) -> Iterator[Program]:
    """Run a program; it ends when its input does."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(HERE)
    ) as process:
        yield Program(process)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what streaming an agent costs.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--words", type=int, default=2000, help="of each run")
    parser.add_argument("--runs", type=int, default=200, help="at once")
    parser.add_argument("--seconds", type=int, default=60, help="of the runs at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
