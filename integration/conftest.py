"""Bridges and BEAMs: made for the tests of a module that want them, and once for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from beams import Beam, HostBeam, Unavailable, compile_suites, container_beam, host_beam, lay_out
from samples import DRIVEN, SAMPLES, Bridges


@pytest.fixture(scope="session")
def bridges(tmp_path_factory: pytest.TempPathFactory) -> Bridges:
    """The bridge of each sample, by the sample's name."""
    return Bridges((*SAMPLES, *DRIVEN), tmp_path_factory.mktemp("bridges"))


@pytest.fixture(scope="module")
def clients(bridges: Bridges) -> tuple[str, ...]:
    """The samples whose clients Elixir gets. A module of tests that need only some says which."""
    return tuple(bridges)


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, bridges: Bridges, clients: tuple[str, ...]
) -> Path:
    """The Mix projects: ``runtime``, ``clients/*``, and ``suites``."""
    folder = tmp_path_factory.mktemp("workspace")
    lay_out(folder, [bridges[name] for name in clients])
    return folder


@pytest.fixture(scope="module")
def host(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> HostBeam:
    """The Elixir of this machine."""
    try:
        return host_beam(workspace, tmp_path_factory.mktemp("build"))
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module", params=["host", "container"])
def compiled(request: pytest.FixtureRequest) -> Beam:
    """Each place where Elixir runs, once the runtime, the clients and the suites are compiled."""
    beam: Beam = request.getfixturevalue(request.param)
    compile_suites(beam)
    return beam


@pytest.fixture(scope="module")
def compiled_host(host: HostBeam) -> HostBeam:
    """The Elixir of this machine, once all is compiled: for what is not run in a container."""
    compile_suites(host)
    return host
