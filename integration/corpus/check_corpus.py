"""Sends values of every model of installed packages to Elixir and back.

    python integration/corpus/check_corpus.py [PACKAGE …] [--sample N] [--values N] [--seed N]

For each package: a bridge is made of all its models that the bridge has, its Elixir compiled with
warnings as errors, and values that polyfactory makes go from Python to the wire, to an Elixir
struct, through the check of arguments, to the wire and to Python, where they have to be what they
were. Exit code 1 where one is not. Elixir is needed in PATH.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from carriers import Models, models_of
from checks import Outcome, check
from elixir_echo import ElixirFailed, available

PACKAGES = ("openai.types", "mcp_types", "openapi_pydantic", "geojson_pydantic", "stac_pydantic")


def main(arguments: list[str] | None = None) -> int:
    """Check each package, and print the counts."""
    options = _options(arguments)
    if not available():
        print("not in PATH: mix (Debian: apt-get install elixir erlang-ssl)", file=sys.stderr)
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        work = options.keep or Path(folder)
        for package in options.packages or PACKAGES:
            started = time.monotonic()
            models = models_of(package)
            if options.sample:
                models = models.sample(options.sample, options.seed)
            name = "corpus_" + package.replace(".", "_")
            try:
                outcome = check(
                    name,
                    models.classes,
                    work,
                    each=options.values,
                    seed=options.seed,
                    seconds=options.seconds,
                )
            except ElixirFailed as error:
                print(f"{package}: {error}", flush=True)
                failed = True
                continue
            print(_report(models, outcome, time.monotonic() - started), flush=True)
            failed = failed or bool(outcome.failures)
    return 1 if failed else 0


def _report(models: Models, outcome: Outcome, seconds: float) -> str:
    good = outcome.models - len(outcome.failures)
    steps = ", ".join(f"{count} at {step}" for step, count in outcome.steps().items())
    head = (
        f"{models.package}: {good} of {outcome.models} models came back equal in "
        f"{outcome.values} values; {models.refused} refused; {seconds:.0f} s"
    )
    lines = [f"{head}; failed: {steps}" if steps else head]
    return "\n  ".join([*lines, *map(str, outcome.failures.values())])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="all five unless given")
    parser.add_argument("--sample", type=int, help="so many models of each package, not all")
    parser.add_argument("--values", type=int, default=3, help="of each model (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="of sample and values (default: 1)")
    parser.add_argument("--seconds", type=int, default=1800, help="for compiling (default: 1800)")
    parser.add_argument("--keep", type=Path, help="a folder to work in, that stays")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
