"""The check: values of models go to Elixir and come back equal."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import carriers
import elixir_echo
from made_values import CannotMake, values
from sameness import difference


@dataclass(frozen=True)
class Failure:
    """What went wrong with a model: ``step`` is ``make``, ``python``, ``elixir`` or ``compare``."""

    model: str
    step: str
    message: str

    def __str__(self) -> str:
        return f"{self.model}: {self.step}: {self.message}"


@dataclass
class Outcome:
    """How many models were tried with how many values, and each that failed, once."""

    models: int = 0
    values: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)

    @staticmethod
    def name(cls: type) -> str:
        """What a model is called here."""
        return f"{cls.__module__}.{cls.__qualname__}"

    def fail(self, cls: type, step: str, problem: object) -> None:
        """Notes the first failure of a model."""
        name = self.name(cls)
        self.failures.setdefault(name, Failure(name, step, str(problem)))

    def steps(self) -> Counter[str]:
        """How many models failed at each step."""
        return Counter(failure.step for failure in self.failures.values())


def check(
    name: str,
    classes: Sequence[type],
    folder: Path,
    *,
    each: int,
    seed: int,
    seconds: int,
) -> Outcome:
    """Sends ``each`` values of each model through a new bridge of that name.

    Raises ``ElixirFailed`` where the client does not compile; ``seconds`` bounds that.
    """
    bridge = carriers.bridge(name, classes, folder)
    elixir_echo.compile_client(bridge, folder / "build", seconds)
    made = {cls: make(cls, each, seed) for cls in classes}
    return exchange(bridge, made, folder / "build", seconds)


def make(cls: type, each: int, seed: int) -> list[Any] | CannotMake:
    """Values that do not change when other models are added."""
    try:
        return values(cls, each, zlib.crc32(f"{seed} {cls.__qualname__}".encode()))
    except CannotMake as error:
        return error


def exchange(
    bridge: carriers.Bridge,
    made: Mapping[type, Sequence[Any] | CannotMake],
    build: Path,
    seconds: int,
    compare: Callable[[Any, Any, Any], str | None] = difference,
) -> Outcome:
    """Sends values of the models of a bridge to Elixir, and compares what comes back."""
    outcome = Outcome(models=len(bridge.classes))
    sent: list[tuple[int, Any]] = []
    responses: list[tuple[str, bytes]] = []
    for position, cls in enumerate(bridge.classes):
        found = made[cls]
        if isinstance(found, CannotMake):
            outcome.fail(cls, "make", found)
            continue
        for value in found:
            try:
                responses.append(bridge.encode(position, value))
                sent.append((position, value))
            except Exception as error:
                outcome.fail(cls, "python", f"to the wire: {error!r} {error.__cause__!r}")
    answers = elixir_echo.exchange(bridge, build, responses, seconds)
    for (position, value), answer in zip(sent, answers, strict=True):
        cls = bridge.classes[position]
        outcome.values += 1
        if isinstance(answer, elixir_echo.Refused):
            outcome.fail(cls, "elixir", answer)
            continue
        try:
            received = bridge.decode(position, answer)
        except Exception as error:
            outcome.fail(cls, "python", f"from the wire: {error!r} {error.__cause__ or ''}")
            continue
        if different := compare(value, received, cls):
            outcome.fail(cls, "compare", different)
    return outcome
