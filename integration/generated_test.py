"""Generated code is stable, formatted, and free of warnings."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import pytest
from beams import Beam
from samples import SAMPLES, Bridges, Sample, generate

by_name = pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_two_runs_give_the_same_bytes(sample: Sample, bridges: Bridges, tmp_path: Path) -> None:
    again = generate(sample, tmp_path / "elsewhere", PYTHONHASHSEED="1", LC_ALL="C")

    first, second = contents(bridges[sample.name].folder), contents(again.folder)
    assert list(first) != []
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


@by_name
def test_a_bridge_has_all_its_parts(name: str, bridges: Bridges) -> None:
    bridge = bridges[name]
    stem = bridge.sample.stem
    paths = contents(bridge.folder).keys()

    expected = {
        "contract.json",
        f"python/{stem}_pb2.py",
        f"python/{stem}_pb2.pyi",
        f"python/{stem}_pb2_grpc.py",
        f"python/{stem}_server.py",
        "elixir/mix.exs",
        "elixir/README.md",
        "elixir/.formatter.exs",
        f"elixir/lib/{stem}.ex",
    }
    assert expected - paths == set()
    assert [path for path in paths if path.endswith(f"/{stem}.proto")] != []


@by_name
def test_python_is_formatted(name: str, bridges: Bridges) -> None:
    server = str(bridges[name].server)
    for command in (["check"], ["format", "--check", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", server]
        done = run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_python_is_typed(bridges: Bridges, tmp_path: Path) -> None:
    typed = [bridge for bridge in bridges.values() if not bridge.sample.made]
    servers = [bridge.server for bridge in typed]
    search = {str(bridge.sample.sources) for bridge in typed}
    search |= {str(server.parent) for server in servers}
    done = run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", *map(str, servers)],
        env=bridges["greeter"].sample.environment | {"MYPYPATH": ":".join(sorted(search))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["host", "container"])
def beam(request: pytest.FixtureRequest) -> Beam:
    """Each place where Elixir runs: its formatter may be another."""
    place: Beam = request.getfixturevalue(request.param)
    return place


def test_elixir_is_formatted(beam: Beam, workspace: Path) -> None:
    suites = beam.mix("format", "--check-formatted", project="suites")
    assert suites.exit_code == 0, suites.output
    # All clients have the same settings, and starting Mix takes longer than looking at a file.
    files = sorted((workspace / "clients").rglob("*.ex*"))
    paths = [str(Path("..", path.relative_to(workspace / "clients"))) for path in files]
    clients = beam.mix("format", "--check-formatted", *paths, project="clients/my_python_agent")
    assert clients.exit_code == 0, clients.output
