"""The Elixir modules of agents: their documentation, their types, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synapse_bridge.contract import Agent, AgentTool, Contract, JSONValue
from synapse_bridge.generate.elixir import emit
from synapse_bridge.generate.testing import CASES


def contract() -> Contract:
    return CASES["agents"].contract()


def support(**changes: object) -> Contract:
    """The contract with another `support_agent`."""
    whole = contract()
    agents = tuple(
        replace(one, **changes) if one.name == "support" else one  # type: ignore[arg-type] # fields of Agent
        for one in whole.agents
    )
    return replace(whole, agents=agents)


def source(whole: Contract, path: str = "support.ex") -> str:
    return emit(whole, "0" * 16)[f"lib/my_agents/{path}"]


def agent(name: str) -> Agent:
    (found,) = (one for one in contract().agents if one.name == name)
    return found


def test_an_agent_says_what_it_is_for_and_what_it_gives() -> None:
    text = source(contract())
    assert "Answers the questions of customers." in text
    assert '{:ok, result} = MyAgents.Support.run("…", deps: …)' in text
    assert "## Output\n\n      MyAgents.Reply.t()" in text
    assert "* `:deps` (`MyAgents.Customer.t()`; required)" in text


def test_an_agent_without_a_description_is_named() -> None:
    text = source(contract(), "greeter.ex")
    assert "The agent `my_agents.greeter` of pydantic-ai." in text
    assert '{:ok, result} = MyAgents.Greeter.run("…")' in text
    assert "## Tools" not in text


def test_what_runs_and_sessions_raise_is_the_type_of_errors_once() -> None:
    text = source(contract())
    assert text.count("MyAgents.UsageLimitExceeded.t()") == 1
    assert text.count("MyAgents.InvalidTools.t()") == 1


def test_tools_are_listed_with_their_parameters() -> None:
    schema: Mapping[str, JSONValue] = {
        "properties": {
            "order": {"type": "integer", "description": "The number."},
            "state": {"enum": ["open", "shipped"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "item": {"$ref": "#/$defs/Item"},
            "kind": {"const": "a`b"},
            "other": {},
            "any": True,
        },
        "required": ["order"],
    }
    tool = AgentTool("find", "Finds\n\norders.", schema, approval=True)
    lines = source(support(tools=(tool,))).splitlines()
    start = lines.index("    * `find` (needs approval) - Finds")
    assert lines[start : start + 11] == [
        "    * `find` (needs approval) - Finds",
        "",
        "      orders.",
        "        * `order` (integer; required) - The number.",
        "        * `state` (`open` or `shipped`)",
        "        * `tags` (array of string)",
        "        * `size` (number or null)",
        "        * `item` (`Item`)",
        "        * `kind` (`` a`b ``)",
        "        * `other`",
        "        * `any`",
    ]


def test_files_are_named_after_modules_so_that_no_class_is_in_their_way() -> None:
    files = emit(support(elixir="SupportAgent"), "0" * 16)
    text = files["lib/my_agents/support_agent.ex"]
    assert "defmodule MyAgents.SupportAgent do" in text
    assert "prefix: :support," in text
    text = files["lib/my_agents/support_agent/conversation.ex"]
    assert "defmodule MyAgents.SupportAgent.Conversation do" in text
    assert "use SynapseBridge.Agent.Conversation, agent: MyAgents.SupportAgent" in text


def test_a_tool_that_is_a_method_can_be_called_on_the_agent() -> None:
    (lookup, _) = agent("support").tools
    text = source(support(tools=(replace(lookup, method="ping"),)))
    assert "* `lookup_order` (`MyAgents.ping/2`) - Look an order up." in text
    assert "Calls the tool `lookup_order` without a model: see `MyAgents.ping/2`." in text
    assert "defdelegate ping(text, opts \\\\ []), to: MyAgents, as: :ping\n" in text
    assert "defdelegate ping!(text, opts \\\\ []), to: MyAgents, as: :ping!\n" in text


def test_a_tool_with_the_name_of_a_function_of_agents_is_called_on_the_client() -> None:
    (lookup, _) = agent("support").tools
    text = source(support(tools=(replace(lookup, method="support_run"),)))
    assert "defdelegate" not in text


def test_the_client_names_the_agents() -> None:
    files = emit(contract(), "0" * 16)
    for text in (files["lib/my_agents.ex"], files["README.md"]):
        assert "* `MyAgents.Support` - Answers the questions of customers." in text
    assert "The agent's module, `MyAgents.Support`, calls this." in files["lib/my_agents.ex"]
