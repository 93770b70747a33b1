"""Bridges and BEAMs: made once for all tests of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from beams import Beam, Unavailable, container_beam, host_beam, lay_out
from samples import SAMPLES, Bridge, generate


@pytest.fixture(scope="session")
def bridges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bridge]:
    """The bridge of each sample, by the sample's name."""
    folder = tmp_path_factory.mktemp("bridges")
    return {sample.name: generate(sample, folder / sample.stem) for sample in SAMPLES}


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, bridges: dict[str, Bridge]) -> Path:
    """The Mix projects: ``runtime``, ``clients/*``, and ``suites``."""
    folder = tmp_path_factory.mktemp("workspace")
    lay_out(folder, bridges.values())
    return folder


@pytest.fixture(scope="session", params=["host", "container"])
def beam(
    request: pytest.FixtureRequest, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Beam]:
    """Each place where Elixir runs, skipped by name where this machine does not have it.

    Who names an image in ``SYNAPSE_ELIXIR_IMAGE`` wants the container: then its lack is an error.
    """
    try:
        if request.param == "host":
            yield host_beam(workspace, tmp_path_factory.mktemp("build"))
        else:
            with container_beam(workspace) as container:
                yield container
    except Unavailable as unavailable:
        if "SYNAPSE_ELIXIR_IMAGE" in os.environ:
            raise
        pytest.skip(f"{request.param}: {unavailable}")


@pytest.fixture(scope="session")
def compiled(beam: Beam) -> Beam:
    """The same place, once the runtime, the clients and the suites are compiled."""
    outcome = beam.mix("compile", project="suites")
    assert outcome.exit_code == 0, f"the clients do not compile:\n{outcome.output}"
    assert "warning:" not in outcome.output, f"they compile with warnings:\n{outcome.output}"
    return beam
