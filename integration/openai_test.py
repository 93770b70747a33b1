"""Agents with a real provider's client: what goes to the model, comes from it, and stops it."""

from __future__ import annotations

from pathlib import Path

import pytest
from beams import Beam
from openai_stub import HOLD, Answer, Exchange, Failure, OpenAIStub, Text, ToolCalls
from samples import Bridges
from servers import Server
from suites import run_suite, suite

KEY = "sk-local-3b9f51"
SECRET = "the launch code is 7421"
"""What prompts and a provider's messages hold, and nobody else may read."""


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("authors",)


def answer(exchange: Exchange) -> Answer:
    """What the model says to the prompts of ``openai_test.exs``."""
    prompt = exchange.prompt
    match prompt.split(": ")[0]:
        case "say":
            return Text("Roses", " are ", "red")
        case "wait":
            return Text("Roses", " are", HOLD, " blue")
        case "city":
            if exchange.body["messages"][-1]["role"] == "tool":
                (count,) = [m["content"] for m in exchange.body["messages"] if m["role"] == "tool"]
                found = {"name": "Bern", "inhabitants": int(count)}
                return ToolCalls((("final_result", found),))
            return ToolCalls((("count_inhabitants", {"city": "Bern"}),))
        case "status":
            status = int(prompt.split()[1])
            return Failure(status, f"{SECRET}: key {exchange.headers['authorization']} is wrong")
    raise AssertionError(f"nobody expects this prompt: {prompt}")


def test_the_suite_passes(compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with (
        OpenAIStub(answer) as stub,
        Server(
            bridges["authors"], tmp_path, environment={"OPENAI_BASE_URL": stub.url} | _CREDENTIALS
        ) as server,
    ):
        run_suite(compiled, server, *suite("openai"), model=stub)
        assert {one.headers["authorization"] for one in stub.exchanges} == {f"Bearer {KEY}"}
        for secret in (KEY, SECRET, "is wrong"):
            assert secret not in server.log


_CREDENTIALS = {"OPENAI_API_KEY": KEY}
