"""Streams of all kinds on each BEAM, with each of the server's transports."""

from __future__ import annotations

from pathlib import Path

import pytest
from beams import Beam
from samples import Bridges
from servers import Server
from suites import run_suite, suite


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("streams",)


def test_the_suite_passes(compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["streams"], tmp_path) as server:
        run_suite(compiled, server, *suite("streams"))


def test_the_suite_passes_over_grpcio(compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["streams"], tmp_path, "--transport=grpcio") as server:
        run_suite(
            compiled,
            server,
            *suite("streams"),
            "--exclude=long",
            "--exclude=large",
            "--exclude=told",
        )
