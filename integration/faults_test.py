"""Bad networks and killed servers: calls end as they should, whatever happens to them."""

from __future__ import annotations

from pathlib import Path

from beams import Beam
from samples import Bridge
from servers import Server
from suites_test import run_suite


def test_the_suite_passes(compiled: Beam, bridges: dict[str, Bridge], tmp_path: Path) -> None:
    with Server(bridges["streams"], tmp_path) as server:
        run_suite(compiled, server, "test/faults_test.exs", "test/hostile_servers_test.exs")
