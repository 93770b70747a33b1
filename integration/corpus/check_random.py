"""Random models and random values of them, from Python to Elixir and back, and the other way round.

    python integration/corpus/check_random.py [--batches N] [--models N] [--seed N]

Each batch is a number of models (``random_models.py``), and a bridge of all of them. Values of each
go from Python to an Elixir struct and back, where they have to be what they were, in every class
and every bit. Then Elixir starts the generated server, and sends it structs of its own making,
which have to come back as they are. A model that fails is printed as a Python module. Exit code 1
where there is one. Elixir is needed in PATH.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import carriers
import elixir_echo
import random_models
from checks import Outcome, exchange
from elixir_echo import ElixirFailed, available
from random_models import Loaded
from sameness import exact_difference


@dataclass(frozen=True)
class Batch:
    """Random models, and a bridge of them all; what is compiled goes to ``build``."""

    number: int
    loaded: Sequence[Loaded]
    bridge: carriers.Bridge
    build: Path

    @classmethod
    def of(cls, number: int, models: int, folder: Path) -> Batch:
        """Makes the batch of that number, with so many models; always the same ones."""
        loaded = random_models.load(random_models.batch(models, number), folder, f"random_{number}")
        classes = [one.model for one in loaded]
        bridge = carriers.bridge(f"random_batch_{number}", classes, folder)
        return cls(number, loaded, bridge, folder / "build")

    def check(self, *, structs: int, seconds: int) -> Outcome:
        """Tries each model in both directions; ``structs`` of each are made by Elixir.

        ``seconds`` bounds each command. Raises ``ElixirFailed`` where the client does not compile.
        """
        elixir_echo.compile_client(self.bridge, self.build, seconds)
        made = {one.model: one.values for one in self.loaded}
        outcome = exchange(self.bridge, made, self.build, seconds, compare=exact_difference)
        problems = elixir_echo.send(self.bridge, self.build, structs, self.number, seconds)
        for position, problem in problems.items():
            outcome.fail(self.loaded[position].model, "elixir to python", problem)
        return outcome

    def report(self, outcome: Outcome) -> str:
        """What failed, each with the model that it failed with, as Python source."""
        sources = {outcome.name(one.model): str(one) for one in self.loaded}
        return "\n".join(f"{one}\n\n{sources[one.model]}" for one in outcome.failures.values())


def main(arguments: list[str] | None = None) -> int:
    """Check so many batches, and print the counts, or the models that fail."""
    options = _options(arguments)
    if not available():
        print("not in PATH: mix (Debian: apt-get install elixir erlang-ssl)", file=sys.stderr)
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.seed, options.seed + options.batches):
            started = time.monotonic()
            try:
                batch = Batch.of(number, options.models, options.keep or Path(folder))
                outcome = batch.check(structs=options.structs, seconds=options.seconds)
            except ElixirFailed as error:
                print(f"batch {number}: {error}", flush=True)
                failed = True
                continue
            print(
                f"batch {number}: {outcome.models} models, {outcome.values} values from Python, "
                f"{outcome.models * options.structs} from Elixir; {len(outcome.failures)} models "
                f"failed; {time.monotonic() - started:.0f} s\n{batch.report(outcome)}".rstrip(),
                flush=True,
            )
            failed = failed or bool(outcome.failures)
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--batches", type=int, default=10, help="(default: 10)")
    parser.add_argument("--models", type=int, default=30, help="of each batch (default: 30)")
    parser.add_argument("--structs", type=int, default=20, help="of each model (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="the first batch (default: 1)")
    parser.add_argument("--seconds", type=int, default=600, help="for compiling (default: 600)")
    parser.add_argument("--keep", type=Path, help="a folder to work in, that stays")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
