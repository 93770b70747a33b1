"""Feeds the converters of a generated Python server broken requests.

    python integration/fuzz/fuzz_converters.py [--inputs N] [--seed N] [--atheris]

``--atheris`` has libFuzzer break them, which looks at what each one reaches in the converters and
the server's codec; it needs the package atheris. Else they are broken at random. Ends at the first
request that is neither read with all that is in it, nor refused.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from broken_requests import Breaker, rows


def run(inputs: int, seed: int) -> Counter[bool]:
    """Tries so many requests; gives how many were read (True) and refused (False)."""
    breaker, found = Breaker(seed), rows()
    counts: Counter[bool] = Counter()
    for _ in range(inputs):
        row = breaker.row(found)
        counts[row.check(breaker.broken(row.good))] += 1
    return counts


def run_atheris(inputs: int, seed: int) -> None:
    """The same with libFuzzer; does not return."""
    atheris: Any = importlib.import_module("atheris")

    found = rows()
    for module in list(sys.modules.values()):
        if module.__name__.startswith(("rows_server", "synapse_bridge.serve")):
            _instrument(module, atheris.instrument_func)

    def one(data: bytes) -> None:
        if data:
            found[data[0] % len(found)].check(data[1:])

    with tempfile.TemporaryDirectory() as corpus:
        for index, row in enumerate(found):  # good requests are where it begins
            (Path(corpus) / row.name).write_bytes(bytes([index]) + row.good)
        settings = (f"-runs={inputs}", f"-seed={seed}", "-max_len=4096")
        atheris.Setup([sys.argv[0], *settings, corpus], one)
        atheris.Fuzz()


def _instrument(module: ModuleType, instrument: Callable[[Any], Any]) -> None:
    """Has libFuzzer see what a module's functions and methods do."""
    for holder in (module, *(one for one in vars(module).values() if isinstance(one, type))):
        if getattr(holder, "__module__", module.__name__) != module.__name__:
            continue
        for one in vars(holder).values():
            if isinstance(one, FunctionType) and one.__module__ == module.__name__:
                instrument(one)


def main() -> int:
    """Run, and print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="(default: 1,000,000)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--atheris", action="store_true", help="libFuzzer breaks them")
    options = parser.parse_args()
    if options.atheris:
        run_atheris(options.inputs, options.seed)
    counts = run(options.inputs, options.seed)
    print(
        f"{options.inputs} inputs of seed {options.seed}: {counts[True]} read, "
        f"{counts[False]} refused"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
