"""Where Elixir runs: on this machine, or in a container."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from samples import ROOT, Bridge
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

ELIXIR_IMAGE = ROOT / "build-support" / "elixir-image"
RUNTIME = ROOT / "elixir" / "synapse_bridge"
SUITES = ROOT / "integration" / "elixir"

CONTAINER_SECONDS = 900
"""No container outlives this, whatever becomes of the tests that started it."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and all that it printed."""

    exit_code: int
    output: str


class Beam(Protocol):
    """A place where ``mix`` runs in a workspace."""

    def mix(self, *arguments: str, project: str, seconds: int = 120, **environment: str) -> Outcome:
        """Runs ``mix`` in a project of the workspace; ``seconds`` bounds it."""
        ...


class Unavailable(Exception):
    """This machine has no such place. The text says what is missing, and how to get it."""


def lay_out(workspace: Path, bridges: Iterable[Bridge]) -> None:
    """Fills a workspace with Mix projects: ``runtime``, ``clients/*``, and ``suites``."""
    generated = shutil.ignore_patterns("_build", "deps", "doc", "cover")
    shutil.copytree(RUNTIME, workspace / "runtime", ignore=generated)
    shutil.copytree(SUITES, workspace / "suites", ignore=generated)
    for bridge in bridges:
        shutil.copytree(bridge.client, workspace / "clients" / bridge.sample.stem)


@dataclass(frozen=True)
class HostBeam:
    """The Elixir of this machine. ``build`` is a folder for what ``mix`` makes."""

    workspace: Path
    build: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that `mix` wants."""
        return _mix_environment(self.build)

    def mix(self, *arguments: str, project: str, seconds: int = 120, **environment: str) -> Outcome:
        done = subprocess.run(
            ["timeout", str(seconds), "mix", *arguments],
            cwd=self.workspace / project,
            env=os.environ | self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(errors="replace"))


@dataclass(frozen=True)
class ContainerBeam:
    """The Elixir of a running container, which sees the workspace read-only."""

    container: DockerContainer

    def mix(self, *arguments: str, project: str, seconds: int = 120, **environment: str) -> Outcome:
        done = self.container.get_wrapped_container().exec_run(
            ["timeout", str(seconds), "mix", *arguments],
            workdir=f"/workspace/{project}",
            environment=_mix_environment(Path("/tmp/build")) | environment,
        )
        return Outcome(done.exit_code, done.output.decode(errors="replace"))


def compile_suites(beam: Beam) -> None:
    """Compiles the runtime, the clients and what the suites share, without a warning."""
    outcome = beam.mix("compile", project="suites", seconds=400)
    assert outcome.exit_code == 0, f"the clients do not compile:\n{outcome.output}"
    assert "warning:" not in outcome.output, f"they compile with warnings:\n{outcome.output}"


def host_beam(workspace: Path, build: Path) -> HostBeam:
    """The Elixir in PATH; :class:`Unavailable` where there is none."""
    if shutil.which("mix") is None:
        raise Unavailable("Elixir is not installed here: apt-get install elixir erlang-ssl")
    return HostBeam(workspace, build)


@contextmanager
def container_beam(workspace: Path) -> Iterator[ContainerBeam]:
    """A container with Elixir, on the host's network; :class:`Unavailable` where it can't be had.

    Its image is the one that ``build-support/elixir-image`` names.
    """
    testcontainers_config.ryuk_disabled = True  # nothing to pull; we remove what we start
    container = (
        DockerContainer(_image())
        .with_command(["sleep", str(CONTAINER_SECONDS)])
        .with_volume_mapping(str(workspace), "/workspace", "ro")
        .with_kwargs(network_mode="host", auto_remove=True)
    )
    with container:
        yield ContainerBeam(container)


def _image() -> str:
    done = subprocess.run([ELIXIR_IMAGE], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(done.stderr.strip())
    return done.stdout.strip()


def _mix_environment(build: Path) -> dict[str, str]:
    return {
        "HOME": str(build / "home"),
        "LANG": "C.UTF-8",
        "MIX_ENV": "test",
        "MIX_BUILD_PATH": str(build / "build"),
        "MIX_DEPS_PATH": str(build / "deps"),
        "MIX_HOME": str(build / "home"),
        "SYNAPSE_BRIDGE_PATH": "../../runtime",  # from a client's folder
    }
