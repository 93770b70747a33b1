"""Which agents are served, and what is said of those that are not."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.types import ListOf, MessageRef, Scalar, UnionRef
from synapse_bridge.describe import describe
from synapse_bridge.introspect import IntrospectionError, Wanted, introspect

Read = Callable[..., Contract]

_HEAD = """\
from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, RunContext
from pydantic_ai import NativeOutput, TextOutput, ToolOutput
from pydantic_ai.models.test import TestModel
import synapse_bridge

class Reply(BaseModel):
    text: str

class Refusal(BaseModel):
    reason: str

"""


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """The contract of agents in a module with this text."""
    count = 0

    def read(text: str, *wanted: Wanted) -> Contract:
        nonlocal count
        count += 1
        name = f"bots{count}"
        (tmp_path / f"{name}.py").write_text(_HEAD + text)
        return introspect(name, None, agents=wanted or (Wanted("bot"),))

    sys.path.insert(0, str(tmp_path))
    yield read
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("bots")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("output", "type_"),
    [
        ("str", Scalar("string")),
        ("Reply", MessageRef("bots1.Reply")),
        ("list[Reply]", ListOf(MessageRef("bots1.Reply"))),
        ("ToolOutput(Reply, name='answer')", MessageRef("bots1.Reply")),
        ("NativeOutput(Reply)", MessageRef("bots1.Reply")),
        ("[Reply, DeferredToolRequests]", MessageRef("bots1.Reply")),
        ("TextOutput(lambda_)", Scalar("int64")),
        ("[Reply, Refusal]", UnionRef("bots1.bot.Result.output")),
        ("Reply | Refusal", UnionRef("bots1.bot.Result.output")),
    ],
)
def test_outputs_have_the_types_that_the_agent_says(read: Read, output: str, type_: object) -> None:
    function = "def lambda_(text: str) -> int:\n    return len(text)\n\n"
    contract = read(f"{function}bot = Agent(TestModel(), output_type={output})\n")
    assert contract.agents[0].output == type_


def test_an_output_that_cannot_cross_is_refused_at_its_line(read: Read) -> None:
    text = "bot = Agent(\n    TestModel(),\n    output_type=complex,\n)\n"
    with pytest.raises(IntrospectionError) as caught:
        read(text)
    (place, reason, instead) = str(caught.value).split("\n")
    assert place.endswith("bots1.py:15: `output_type` of agent `bot`: `complex`")
    assert reason == "  `complex` is not supported"
    assert instead == "  → write a model with two floats"


def test_deps_that_cannot_cross_want_a_factory(read: Read) -> None:
    text = "class Pool:\n    pass\n\nbot = Agent(TestModel(), deps_type=Pool)\n"
    refused = r"(?s)`deps_type` of agent `bot`: `Pool`.*; or name a `deps_factory`"
    with pytest.raises(IntrospectionError, match=refused):
        read(text)
    factory = "\nasync def make(reply: Reply, context: synapse_bridge.Context) -> Pool:\n    ...\n"
    contract = read(text + factory, Wanted("bot", deps_factory="bots2:make"))
    assert contract.agents[0].deps == MessageRef("bots2.Reply")
    nothing = "\ndef make() -> Pool:\n    ...\n"
    contract = read(text + nothing, Wanted("bot", deps_factory="bots3:make"))
    assert contract.agents[0].deps is None
    several = "\ndef make(one: int, two: int) -> Pool:\n    ...\n"
    with pytest.raises(IntrospectionError, match="takes both `one` and `two`"):
        read(text + several, Wanted("bot", deps_factory="bots4:make"))


def test_what_is_no_agent_is_told(read: Read) -> None:
    with pytest.raises(IntrospectionError, match="is no agent but `int`"):
        read("bot = 7\n")
    with pytest.raises(IntrospectionError, match="has no agent `bot`"):
        read("robot = 7\n")


def test_an_agents_module_makes_way_for_a_class(read: Read) -> None:
    contract = read("reply_agent = Agent(TestModel())\n", Wanted("reply_agent"))
    assert contract.agents[0].elixir == "Reply"  # nothing holds the class
    text = "reply_agent = Agent(TestModel(), output_type=Reply)\n"
    contract = read(text, Wanted("reply_agent"))
    assert contract.agents[0].elixir == "ReplyAgent"
    result = contract.message("bots2.reply_agent.Result")
    assert (result.proto, result.elixir) == ("ReplyAgentResult", "Bots2.ReplyAgent.Result")


def test_typed_tools_are_functions_where_they_are_exposed(read: Read) -> None:
    text = """\
bot = Agent(TestModel(), deps_type=Reply)

@bot.tool
def typed(context: RunContext[Reply], order: int) -> Refusal:
    '''Look it up.'''
    return Refusal(reason=str(order))

@bot.tool_plain(requires_approval=True)
def untyped(order: int):
    return order
"""
    hidden = read(text)
    assert [tool.method for tool in hidden.agents[0].tools] == ["", ""]
    contract = read(text, Wanted("bot", expose=True))
    typed, untyped = contract.agents[0].tools
    assert (typed.name, typed.doc, typed.method) == ("typed", "Look it up.", "bot_typed")
    assert (untyped.approval, untyped.method) == (True, "")
    method = next(one for one in contract.service.methods if one.name == "bot_typed")
    assert [parameter.name for parameter in method.parameters] == ["order", "deps"]
    assert method.result == MessageRef("bots2.Refusal")


def test_people_are_told_of_agents_and_their_tools(read: Read) -> None:
    text = """\
bot = Agent(TestModel(), output_type=Reply, description="Answers.")

@bot.tool_plain
def look(order: int) -> str:
    '''Look it up.'''
    return ""
"""
    out = io.StringIO()
    Console(file=out, width=200).print(describe(read(text, Wanted("bot", models=("a:b",)))))
    for part in ("bots1.bot", "Bots1.Bot", "Answers.", "look", '"order"', "Look it up.", "a:b"):
        assert part in out.getvalue()


def test_an_agent_whose_key_is_elsewhere_can_wait_for_its_model(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(IntrospectionError, match="defer_model_check=True"):
        read('bot = Agent("openai:gpt-5")\n')
    contract = read('bot = Agent("openai:gpt-5", defer_model_check=True)\n')
    assert contract.agents[0].output == Scalar("string")
