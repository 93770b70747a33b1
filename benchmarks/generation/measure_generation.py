"""Measures what it takes to generate bridges of so many models of ``openai.types``.

    PYTHONPATH=integration/corpus python benchmarks/generation/measure_generation.py [SIZE …]

Each size in a process of its own: reading the models and writing the files of the bridge, in
processor time, with the peak of its memory, and the longest file. 0 stands for all models. A sample
leads to more models than it has, all of which are generated; they are counted.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGE = "openai.types"
SIZES = ("500", "1000", "2000", "0")


def main(arguments: list[str]) -> int:
    """Measure each size, and print the table."""
    if arguments[:1] == ["--one"]:
        print(_measure(int(arguments[1])))
        return 0
    print(
        "| asked for | messages, enums, unions | CPU s | ms each | peak MB | longest file, lines |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for size in arguments or SIZES:
        command = (sys.executable, __file__, "--one", size)
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(done.stdout.splitlines()[-1], flush=True)
    return 0


def _measure(size: int) -> str:
    import carriers  # in the measured process alone, for it imports the models

    models = carriers.models_of(PACKAGE)
    chosen = models.sample(size, seed=1) if size else models
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        bridge = carriers.bridge("measured", chosen.classes, Path(folder))
        seconds = time.process_time() - started
        generated = [path for path in bridge.folder.rglob("*") if path.is_file()]
        longest = max(len(path.read_bytes().splitlines()) for path in generated)
    contract = bridge.contract
    count = len(contract.messages) + len(contract.enums) + len(contract.unions)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = str(size) if size else f"all {len(chosen.classes)}"
    return (
        f"| {name} | {count} | {seconds:.1f} | {1000 * seconds / count:.1f} | {peak:,.0f} "
        f"| {longest:,} |"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
