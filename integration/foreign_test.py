"""A client that knows nothing of this project: buf, which asks the server what there is to call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import SAMPLES, Bridges
from servers import Server

BUF = os.environ.get("SYNAPSE_BUF") or shutil.which("buf")

pytestmark = pytest.mark.skipif(BUF is None, reason="needs buf (build-support/buf)")

# What it would come to if the method were not there, or could not be described. Some never end:
# they are given two seconds.
NOT_REACHED = {"unimplemented", "unavailable"}


@pytest.fixture(params=[sample.name for sample in SAMPLES])
def server(request: pytest.FixtureRequest, bridges: Bridges, tmp_path: Path) -> Iterator[Server]:
    """The server of each sample."""
    with Server(bridges[request.param], tmp_path) as server:
        yield server


def curl(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``buf curl`` over plaintext HTTP/2, with the server's reflection as its only source."""
    assert BUF is not None
    path, *options = arguments
    return subprocess.run(
        [
            *(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *options),
            f"http://{server.target}{path}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": "/nonexistent", **os.environ},
    )


def test_every_method_can_be_called(server: Server) -> None:
    listed = curl(server, "", "--list-methods")
    assert listed.returncode == 0, listed.stderr
    methods = [line for line in listed.stdout.split() if "/" in line and "grpc." not in line]
    assert methods
    for method in methods:
        done = curl(server, f"/{method}", "--data", "{}", "--timeout=2s")
        if done.returncode != 0:
            assert json.loads(done.stderr)["code"] not in NOT_REACHED, f"{method}: {done.stderr}"


def test_values_cross(bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["evolving"], tmp_path) as server:
        data = {"item": {"sku": "a-1", "size": "3", "color": "COLOR_GREEN"}}
        done = curl(server, "/evolving.v1.EvolvingService/Price", "--data", json.dumps(data))
        assert json.loads(done.stdout)["result"] == {"total": "6", "item": data["item"]}


def test_violations_are_told(bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["evolving"], tmp_path) as server:
        done = curl(server, "/evolving.v1.EvolvingService/Price", "--data", '{"item": {}}')
        error = json.loads(done.stderr)
        assert error["code"] == "invalid_argument"
        assert "item.sku" in done.stderr


def test_what_is_generated_builds_and_passes_lint(bridges: Bridges) -> None:
    assert BUF is not None
    for bridge in bridges.values():
        for command in ("build", "lint"):
            done = subprocess.run(
                [BUF, command],
                cwd=bridge.folder / "proto",
                capture_output=True,
                text=True,
                check=False,
                env={"HOME": str(bridge.folder), **os.environ},
            )
            assert done.returncode == 0, f"{bridge.sample.name}: {done.stdout}{done.stderr}"
