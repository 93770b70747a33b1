"""Two releases of a service, with a lock between them: old clients do not notice the new one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from beams import Beam
from samples import EVOLVED, SAMPLES, Bridge, Bridges, Sample, generate, synapse_bridge
from servers import Server
from suites import run_suite

FIRST = next(sample for sample in SAMPLES if sample.name == "evolving")


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("evolving",)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Bridge:
    """The bridge of the second release, generated with the lock of the first."""
    folder = tmp_path_factory.mktemp("second")
    lock = folder / "synapse.lock.json"
    for sample in (FIRST, EVOLVED):
        _lock(sample, lock, folder)
    selection = (*EVOLVED.selection, f"--lock={lock}")
    return generate(replace(EVOLVED, selection=selection), folder / "bridge")


def _lock(sample: Sample, lock: Path, folder: Path) -> None:
    arguments = ("lock", *sample.selection, f"--lock={lock}")
    done = synapse_bridge(*arguments, sources=sample.sources, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_an_old_client_goes_on_with_the_new_server(
    second: Bridge, compiled: Beam, tmp_path: Path
) -> None:
    with Server(second, tmp_path) as server:
        run_suite(compiled, server, "test/evolving_test.exs")


def test_no_change_is_said_to_break_the_wire(
    second: Bridge, bridges: Bridges, tmp_path: Path
) -> None:
    contracts = [str(bridge.folder / "contract.json") for bridge in (bridges["evolving"], second)]
    done = synapse_bridge(
        "diff", *contracts, "--json", "--fail-on=wire", sources=tmp_path, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)["summary"]
    assert summary["wire"] == 0
    assert summary["source"] > 0, "names have changed"
