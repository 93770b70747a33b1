"""Each sample on each BEAM: its client compiles, is formatted, and passes the ExUnit suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from beams import SUITES, Beam
from openai_stub import OpenAIStub
from samples import DRIVEN, SAMPLES, Bridge
from servers import Control, Server


def suite(name: str) -> list[str]:
    """The files of a sample's suite, in the Mix project that holds them all."""
    files = sorted((SUITES / "test").glob(f"{name}_*test.exs"))
    assert files, f"there is no suite for {name}"
    return [f"test/{file.name}" for file in files]


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])
def test_the_suite_passes(
    name: str, compiled: Beam, bridges: dict[str, Bridge], tmp_path: Path
) -> None:
    with Server(bridges[name], tmp_path) as server:
        run_suite(compiled, server, *suite(name))


def test_streams_pass_over_grpcio(
    compiled: Beam, bridges: dict[str, Bridge], tmp_path: Path
) -> None:
    with Server(bridges["streams"], tmp_path, "--transport=grpcio") as server:
        run_suite(compiled, server, *suite("streams"), "--exclude=long", "--exclude=large")


def run_suite(
    beam: Beam,
    server: Server,
    *arguments: str,
    model: OpenAIStub | None = None,
    **environment: str,
) -> None:
    """Runs ExUnit files against a server, whose agents may have a model."""
    with Control(server, model) as control:
        outcome = beam.mix(
            "test",
            *arguments,
            project="suites",
            seconds=300,
            SYNAPSE_TARGET=server.target,
            SYNAPSE_CONTROL=control,
            **environment,
        )
        if outcome.exit_code != 0:
            log = "\n".join(server.log.splitlines()[-40:])
            pytest.fail(f"{outcome.output}\nThe end of the server's log:\n{log}", pytrace=False)


@pytest.mark.parametrize(
    "project", ["suites", *(f"clients/{sample.stem}" for sample in (*SAMPLES, *DRIVEN))]
)
def test_elixir_is_formatted(project: str, compiled: Beam) -> None:
    outcome = compiled.mix("format", "--check-formatted", project=project)
    assert outcome.exit_code == 0, outcome.output
