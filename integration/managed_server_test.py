"""A Python server as a child of an Elixir supervisor: started, killed, and stopped."""

from __future__ import annotations

import sys

import pytest
from beams import HostBeam
from samples import Bridges


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("greeter",)


def test_the_suite_passes(compiled_host: HostBeam, bridges: Bridges) -> None:
    bridge = bridges["greeter"]
    outcome = compiled_host.mix(
        "test",
        "test/managed_server_test.exs",
        project="suites",
        SYNAPSE_PYTHON=sys.executable,
        SYNAPSE_SERVER=str(bridge.server),
        PYTHONPATH=bridge.sample.environment["PYTHONPATH"],
    )
    if outcome.exit_code != 0:
        pytest.fail(outcome.output, pytrace=False)
