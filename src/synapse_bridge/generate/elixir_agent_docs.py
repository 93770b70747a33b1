"""Documentation of an agent's modules: what it is for, its output, options and tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_bridge.contract import Agent, Contract, Method, Required
from synapse_bridge.generate import prose
from synapse_bridge.generate.elixir_arguments import arguments, given, options
from synapse_bridge.generate.elixir_docs import (
    Documentation,
    bullets,
    described,
    paragraphs,
    section,
)
from synapse_bridge.generate.markdown import markdown


class AgentDocumentation:
    """The Markdown of everything of an agent that has documentation."""

    def __init__(self, contract: Contract, agent: Agent) -> None:
        self._contract = contract
        self._agent = agent
        self._client = contract.service.elixir
        self._module = f"{self._client}.{agent.elixir}"
        self._methods = {method.name: method for method in contract.service.methods}
        self._options = options(contract, self._methods[agent.methods["run"]])

    def module(self) -> str:
        """The agent's module."""
        source = f"`{self._contract.service.module}.{self._agent.variable}`"
        modules = {item.name: item.elixir for item in self._contract.named()}
        return paragraphs(
            markdown(self._agent.doc) or f"The agent {source} of pydantic-ai.",
            self._example(),
            f"It is {source} in Python. `SynapseBridge.Agent` describes runs, their options, and "
            "tools that are functions of this node.",
            section("Output", f"    {given(self._agent.output, modules)}"),
            section(
                "Options",
                paragraphs(
                    Documentation(self._contract).options(self._options),
                    "`t:SynapseBridge.Agent.option/0` lists those of every agent.",
                ),
            ),
            section("Tools", bullets(self._tools())),
        )

    def conversation(self) -> str:
        """The module of its conversations."""
        module = f"{self._module}.Conversation"
        return paragraphs(
            f"A process that keeps the history of a conversation with `{self._module}`.",
            f"    {{:ok, conversation}} = {module}.start_link({self._deps()})\n"
            f'    {{:ok, result}} = {module}.ask(conversation, "…")',
            "`SynapseBridge.Agent.Conversation` says how it works.",
        )

    def tool(self, method: Method, tool: str) -> str:
        """A function that calls a tool without a model."""
        return paragraphs(
            markdown(method.doc.summary),
            f"Calls the tool {prose.code(tool)} without a model: see `{self._call(method)}`.",
        )

    def tool_bang(self, method: Method, name: str) -> str:
        """The same, which raises."""
        value = "" if method.result is None else "returns the bare value and "
        return f"Same as `{name}/{self._arity(method)}`, but {value}raises the error."

    def _example(self) -> str:
        given = ", ".join(part for part in ('"…"', self._deps()) if part)
        return f"    {{:ok, result}} = {self._module}.run({given})\n    result.output"

    def _deps(self) -> str:
        required = {field.name for field in self._options if isinstance(field.default, Required)}
        return "deps: …" if "deps" in required else ""

    def _tools(self) -> Iterator[str]:
        """The tools that the model may call, with their parameters."""
        for tool in self._agent.tools:
            facts = ["needs approval"] if tool.approval else []
            facts += [f"`{self._call(self._methods[tool.method])}`"] if tool.method else []
            subject = described(_subject(tool.name, facts), tool.doc)
            yield "\n".join(filter(None, (subject, bullets(_parameters(tool.parameters)))))

    def _call(self, method: Method) -> str:
        return f"{self._client}.{method.elixir}/{self._arity(method)}"

    def _arity(self, method: Method) -> int:
        return len(arguments(self._contract, method)) + 1


def _parameters(schema: Mapping[str, Any]) -> Iterator[str]:
    """The parameters of a tool, from its JSON Schema."""
    required = schema.get("required", ())
    for name, parameter in schema.get("properties", {}).items():
        facts = [_kind(parameter), "required" if name in required else ""]
        doc = parameter.get("description", "") if isinstance(parameter, Mapping) else ""
        yield described(_subject(name, [fact for fact in facts if fact]), str(doc))


def _subject(name: str, facts: list[str]) -> str:
    return prose.code(name) + (f" ({'; '.join(facts)})" if facts else "")


def _kind(schema: Any) -> str:
    """What a JSON Schema takes, in few words; empty where they do not say it."""
    match schema:
        case {"enum": [*values]}:
            return " or ".join(prose.code(str(value)) for value in values)
        case {"const": value}:
            return prose.code(str(value))
        case {"anyOf": [*members]} | {"oneOf": [*members]}:
            kinds = [_kind(member) for member in members]
            return " or ".join(dict.fromkeys(kinds)) if all(kinds) else ""
        case {"type": "array", "items": items} if kind := _kind(items):
            return f"array of {kind}"
        case {"type": str(name)}:
            return name
        case {"$ref": str(reference)}:
            return prose.code(reference.rpartition("/")[2])
        case _:
            return ""
