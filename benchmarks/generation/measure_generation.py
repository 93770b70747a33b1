"""Measures what it takes to generate bridges of so many models of ``openai.types``.

    PYTHONPATH=integration/corpus python benchmarks/generation/measure_generation.py \
        [--compile] [SIZE …]

Each size in a process of its own: reading the models and writing the files of the bridge, in
processor time, with the peak of its memory, and the longest file. 0 stands for all models. A sample
leads to more models than it has, all of which are generated; they are counted, and so are the
fields and members that they have, of which a larger sample has more each. With ``--compile`` the
Elixir of the bridge is compiled then, with warnings as errors, together with the runtime: in
processor time, and by the clock.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carriers import Bridge

PACKAGE = "openai.types"
SIZES = ("500", "1000", "2000", "0")
LIMIT = 3600
"""Seconds that a step of compiling may take."""


def main(arguments: list[str]) -> int:
    """Measure each size, and print the table."""
    compiled = "--compile" in arguments
    sizes = [argument for argument in arguments if argument.isdigit()]
    if "--one" in arguments:
        print(_measure(int(sizes[0]), compiled))
        return 0
    columns = ["asked for", "messages, enums, unions", "fields, members", "CPU s"]
    columns += ["ms each of these", "peak MB", "longest file, lines"]
    if compiled:
        columns += ["compiling, CPU s", "by the clock, s"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    for size in sizes or SIZES:
        command = (sys.executable, __file__, "--one", *(["--compile"] * compiled), size)
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(done.stdout.splitlines()[-1], flush=True)
    return 0


def _measure(size: int, compiled: bool) -> str:
    import carriers  # in the measured process alone, for it imports the models

    models = carriers.models_of(PACKAGE)
    chosen = models.sample(size, seed=1) if size else models
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        bridge = carriers.bridge("measured", chosen.classes, Path(folder))
        seconds = time.process_time() - started
        generated = [path for path in bridge.folder.rglob("*") if path.is_file()]
        longest = max(len(path.read_bytes().splitlines()) for path in generated)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        compiling = _compile(bridge, Path(folder) / "build") if compiled else ""
    contract = bridge.contract
    count = len(contract.messages) + len(contract.enums) + len(contract.unions)
    held = sum(len(message.fields) for message in contract.messages)
    held += sum(len(one.members) for one in contract.enums)
    held += sum(len(one.members) for one in contract.unions)
    name = str(size) if size else f"all {len(chosen.classes)}"
    return (
        f"| {name} | {count} | {held} | {seconds:.1f} | {1000 * seconds / held:.2f} | {peak:,.0f} "
        f"| {longest:,} |{compiling}"
    )


def _compile(bridge: Bridge, build: Path) -> str:
    import elixir_echo

    build.mkdir()
    started = time.perf_counter()
    elixir_echo.compile_client(bridge, build, LIMIT)
    clock = time.perf_counter() - started
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return f" {spent.ru_utime + spent.ru_stime:.0f} | {clock:.0f} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
