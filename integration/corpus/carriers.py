"""A module of functions over many models, and the bridge that the tool makes of it.

The models go in carriers: a model with an optional field for each. So a service of thousands of
models has a hundred functions, and not a pair of messages for each model.
"""

from __future__ import annotations

import importlib
import itertools
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from synapse_bridge import coverage
from synapse_bridge.contract import Contract
from synapse_bridge.generate import generate
from synapse_bridge.introspect import introspect
from synapse_bridge.introspect.loading import load
from synapse_bridge.serve.codec import Codec

PER_CARRIER = 25
"""How many models a carrier has. A message of a thousand fields compiles slowly."""


@dataclass(frozen=True)
class Models:
    """The models of a package that the bridge has, and how many it refuses."""

    package: str
    classes: tuple[type, ...]
    refused: int

    def sample(self, size: int, seed: int) -> Models:
        """So many of them, always the same for the same seed."""
        if size >= len(self.classes):
            return self
        chosen = random.Random(seed).sample(range(len(self.classes)), size)
        return Models(self.package, tuple(self.classes[i] for i in sorted(chosen)), self.refused)


@cache
def models_of(package: str) -> Models:
    """The models of an installed package."""
    root, _, _ = load(package)
    modules, _ = coverage.modules(root)
    classes = dict.fromkeys(cls for module in modules for cls in coverage.models_of(module))
    verdicts = coverage.survey(package).models
    assert len(verdicts) == len(classes)
    pairs = zip(classes, verdicts, strict=True)
    mapped = tuple(cls for cls, verdict in pairs if verdict.mapped)
    return Models(package, mapped, len(classes) - len(mapped))


@dataclass(frozen=True)
class Bridge:
    """A generated bridge of a module with carriers for ``classes``, in ``folder``."""

    name: str
    folder: Path
    classes: Sequence[type]
    contract: Contract

    @property
    def client(self) -> Path:
        """The generated Mix package."""
        return self.folder / "elixir"

    @property
    def server(self) -> tuple[str, ...]:
        """The command that starts the generated server."""
        return sys.executable, str(
            self.folder / "python" / f"{self.contract.service.stem}_server.py"
        )

    @cached_property
    def _module(self) -> Any:
        return importlib.import_module(self.name)

    @cached_property
    def _codecs(self) -> dict[int, tuple[str, Codec]]:
        service = importlib.import_module(f"{self.contract.service.stem}_server").SERVICE
        return {
            int(method.function.__name__.rpartition("_")[2]): (method.name, Codec(method))
            for method in service.methods
        }

    def encode(self, position: int, value: Any) -> tuple[str, bytes]:
        """The method that carries the model at that position, and the response with a value."""
        method, codec = self._codecs[position // PER_CARRIER]
        carrier = getattr(self._module, f"Carrier{position // PER_CARRIER}")
        return method, codec.response(carrier.model_construct(**{f"m{position}": value}))

    def decode(self, position: int, request: bytes) -> Any:
        """The value in a request to that method."""
        _, codec = self._codecs[position // PER_CARRIER]
        arguments = codec.arguments(codec.request(request))
        return getattr(arguments["value"], f"m{position}")


def source(classes: Iterable[type]) -> str:
    """The module: carriers, and a function for each that returns what it is given."""
    classes = list(classes)
    modules = sorted({cls.__module__ for cls in classes})
    lines = ["from pydantic import BaseModel", "", *(f"import {name}" for name in modules)]
    for carrier, some in enumerate(_batches(classes)):
        lines += ["", "", f"class Carrier{carrier}(BaseModel):"]
        lines += [f"    m{position}: {_spelling(cls)} | None = None" for position, cls in some]
        lines += ["", "", f"def echo_{carrier}(value: Carrier{carrier}) -> Carrier{carrier}:"]
        lines.append("    return value")
    return "\n".join([*lines, ""])


def _spelling(cls: type) -> str:
    if cls.__qualname__.replace(".", "").isidentifier():
        return f"{cls.__module__}.{cls.__qualname__}"
    # An instance of a generic model, which pydantic keeps in the module.
    return f"getattr({cls.__module__}, {cls.__qualname__!r})"


def _batches(classes: list[type]) -> Iterator[tuple[tuple[int, type], ...]]:
    numbered = enumerate(classes)
    while batch := tuple(itertools.islice(numbered, PER_CARRIER)):
        yield batch


def bridge(name: str, classes: Sequence[type], folder: Path) -> Bridge:
    """Writes the module and makes its bridge; ``name`` has to be new to this process."""
    written = folder / name
    _write(written / "source" / f"{name}.py", source(classes))
    sys.path[:0] = [str(written / "source"), str(written / "python")]
    contract = introspect(name)
    for path, content in generate(contract).items():
        _write(written / path, content)
    importlib.invalidate_caches()
    return Bridge(name, written, classes, contract)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
