"""A Python server as a child of an Elixir supervisor: started, killed, and stopped."""

from __future__ import annotations

import sys

import pytest
from beams import HostBeam
from samples import Bridge


def test_the_suite_passes(host: HostBeam, bridges: dict[str, Bridge]) -> None:
    bridge = bridges["greeter"]
    compiled = host.mix("compile", project="suites", seconds=300)
    assert compiled.exit_code == 0, compiled.output
    outcome = host.mix(
        "test",
        "test/managed_server_test.exs",
        project="suites",
        SYNAPSE_PYTHON=sys.executable,
        SYNAPSE_SERVER=str(bridge.server),
        PYTHONPATH=bridge.sample.environment["PYTHONPATH"],
    )
    if outcome.exit_code != 0:
        pytest.fail(outcome.output, pytrace=False)
