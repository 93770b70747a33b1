"""ExUnit suites, run against generated servers."""

from __future__ import annotations

import pytest
from beams import SUITES, Beam
from openai_stub import OpenAIStub
from servers import Control, Server


def suite(name: str) -> list[str]:
    """The files of a sample's suite, in the Mix project that holds them all."""
    files = sorted((SUITES / "test").glob(f"{name}_*test.exs"))
    assert files, f"there is no suite for {name}"
    return [f"test/{file.name}" for file in files]


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
