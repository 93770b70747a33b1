"""The sample services, and the bridges that the real command line makes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout, or what Pants puts of it into a test's sandbox."""

TOOL = ROOT / "src"


@dataclass(frozen=True)
class Sample:
    """A module to make a bridge of.

    ``sources`` is the folder the module is imported from, ``selection`` the arguments of
    ``synapse_bridge generate`` that say what to take from it, ``stem`` how generated files begin.
    A type checker does not see the classes that a module makes when it is ``made`` at run time.
    """

    name: str
    sources: Path
    selection: tuple[str, ...]
    stem: str
    made: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the module and the tool can be imported."""
        return python_environment(self.sources)


@dataclass(frozen=True)
class Bridge:
    """A generated bridge: ``folder`` is what ``synapse_bridge generate`` wrote."""

    sample: Sample
    folder: Path

    @property
    def server(self) -> Path:
        """The generated server, a program."""
        return self.folder / "python" / f"{self.sample.stem}_server.py"

    @property
    def client(self) -> Path:
        """The generated Elixir client, a Mix package."""
        return self.folder / "elixir"


class Bridges(Mapping[str, Bridge]):
    """The bridges of samples, by name. Each is made when it is first asked for."""

    def __init__(self, samples: Iterable[Sample], folder: Path) -> None:
        self._samples = {sample.name: sample for sample in samples}
        self._folder = folder
        self._made: dict[str, Bridge] = {}

    def __getitem__(self, name: str) -> Bridge:
        if name not in self._made:
            sample = self._samples[name]
            self._made[name] = generate(sample, self._folder / sample.stem)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)


_SERVICES = ROOT / "integration" / "services"

SAMPLES = (
    Sample(
        "greeter",
        ROOT / "examples" / "greeter",
        ("--module=my_python_module", "--function=process_data", "--elixir-module=MyPythonAgent"),
        "my_python_agent",
    ),
    Sample("shop", _SERVICES, ("--module=shop.pricing",), "shop_pricing"),
    Sample(
        "documents",
        _SERVICES,
        ("--module=documents", "--elixir-module=MyApp.Documents"),
        "my_app_documents",
    ),
    Sample("jobs", _SERVICES, ("--module=jobs:runner",), "jobs"),
    Sample("echo", _SERVICES, ("--module=echo",), "echo"),
    Sample("streams", _SERVICES, ("--module=streams",), "streams"),
    Sample(
        "scalars",
        _SERVICES,
        ("--module=scalars", f"--config={_SERVICES / 'scalars.yaml'}"),
        "scalars",
    ),
    Sample("unions", _SERVICES, ("--module=unions",), "unions"),
    Sample(
        "rows",
        TOOL / "synapse_bridge" / "serve" / "testdata",
        ("--module=rows",),
        "rows",
        made=True,
    ),
    Sample(
        "agents",
        _SERVICES,
        (
            "--module=helpdesk",
            "--agent=helpdesk:support_agent",
            "--agent=helpdesk:judge_agent",
            "--expose-tools",
        ),
        "helpdesk",
    ),
    Sample("names", _SERVICES, ("--module=names", "--elixir-module=Odd.Names"), "odd_names"),
    Sample("evolving", _SERVICES / "evolution" / "old", ("--module=evolving",), "evolving"),
)

DRIVEN = (
    Sample(
        "authors",
        _SERVICES,
        ("--agent=authors:poet_agent", "--agent=authors:geographer_agent"),
        "authors",
    ),
    Sample(
        "livechat", ROOT / "examples" / "livechat", ("--agent=assistant:chat_agent",), "assistant"
    ),
)
"""Samples whose servers want more around them, so that a test of their own drives their suite."""

_NEW = _SERVICES / "evolution" / "new"
EVOLVED = Sample(
    "evolved", _NEW, ("--module=evolving", f"--config={_NEW / 'synapse.yaml'}"), "evolving"
)
"""The second release of ``evolving``: a server for the clients of the first."""


def python_environment(sources: Path) -> dict[str, str]:
    """This process's environment, with ``sources`` and the tool on Python's path."""
    return os.environ | {"PYTHONPATH": f"{sources}{os.pathsep}{TOOL}"}


def synapse_bridge(
    *arguments: str, sources: Path, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command line, as a user would, and returns whatever came of it."""
    return subprocess.run(
        [sys.executable, "-m", "synapse_bridge", *arguments],
        cwd=cwd,
        env=python_environment(sources) | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def generate(sample: Sample, folder: Path, **environment: str) -> Bridge:
    """Makes the bridge of a sample in ``folder``."""
    done = synapse_bridge(
        "generate",
        *sample.selection,
        f"--out={folder}",
        sources=sample.sources,
        cwd=folder.parent,
        **environment,
    )
    assert done.returncode == 0, f"generating {sample.name} failed:\n{done.stdout}{done.stderr}"
    return Bridge(sample, folder)
