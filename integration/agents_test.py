"""Agents on each BEAM: runs, events, conversations, tools of Elixir."""

from __future__ import annotations

from pathlib import Path

import pytest
from beams import Beam
from samples import Bridges
from servers import Server
from suites import run_suite, suite


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("agents",)


def test_the_suite_passes(compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["agents"], tmp_path) as server:
        run_suite(compiled, server, *suite("agents"))
