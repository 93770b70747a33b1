"""Bridges and BEAMs: made once for all tests of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from beams import Beam, HostBeam, Unavailable, container_beam, host_beam, lay_out
from samples import DRIVEN, SAMPLES, Bridge, generate


@pytest.fixture(scope="session")
def bridges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bridge]:
    """The bridge of each sample, by the sample's name."""
    folder = tmp_path_factory.mktemp("bridges")
    return {sample.name: generate(sample, folder / sample.stem) for sample in (*SAMPLES, *DRIVEN)}


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, bridges: dict[str, Bridge]) -> Path:
    """The Mix projects: ``runtime``, ``clients/*``, and ``suites``."""
    folder = tmp_path_factory.mktemp("workspace")
    lay_out(folder, bridges.values())
    return folder


@pytest.fixture(scope="session")
def host(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> HostBeam:
    """The Elixir of this machine."""
    try:
        return host_beam(workspace, tmp_path_factory.mktemp("build"))
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))


@pytest.fixture(scope="session")
def container(workspace: Path) -> Iterator[Beam]:
    """An Elixir in a container.

    Who names an image in ``SYNAPSE_ELIXIR_IMAGE`` wants these tests: then its lack is an error.
    """
    try:
        with container_beam(workspace) as beam:
            yield beam
    except Unavailable as unavailable:
        if "SYNAPSE_ELIXIR_IMAGE" in os.environ:
            raise
        pytest.skip(str(unavailable))


@pytest.fixture(scope="session", params=["host", "container"])
def compiled(request: pytest.FixtureRequest) -> Beam:
    """Each place where Elixir runs, once the runtime, the clients and the suites are compiled."""
    beam: Beam = request.getfixturevalue(request.param)
    outcome = beam.mix("compile", project="suites", seconds=400)
    assert outcome.exit_code == 0, f"the clients do not compile:\n{outcome.output}"
    assert "warning:" not in outcome.output, f"they compile with warnings:\n{outcome.output}"
    return beam
