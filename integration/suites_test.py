"""Each sample on each BEAM: its client compiles, and passes the ExUnit suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from beams import Beam, HostBeam
from samples import SAMPLES, Bridges
from servers import Server
from suites import run_suite, suite

NAMES = tuple(sample.name for sample in SAMPLES if sample.name not in ("agents", "streams"))
"""All but those that have a file of tests of their own, to run beside this one."""


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_suite_passes(name: str, compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges[name], tmp_path) as server:
        run_suite(compiled, server, *suite(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_suite_passes_over_grpcio(
    name: str, compiled_host: HostBeam, bridges: Bridges, tmp_path: Path
) -> None:
    with Server(bridges[name], tmp_path, "--transport=grpcio") as server:
        run_suite(compiled_host, server, *suite(name))
