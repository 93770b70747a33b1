"""The modules of agents: one for each agent beside the client, and one for its conversations.

What they do is in the runtime, ``SynapseBridge.Agent``; here is what is particular to an agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from synapse_bridge.contract import Agent, Contract, Field, Method, Required, Streamed
from synapse_bridge.contract.names import underscore
from synapse_bridge.generate import elixir_docs
from synapse_bridge.generate.elixir_agent_docs import AgentDocumentation
from synapse_bridge.generate.elixir_arguments import arguments, given, option, options, taken
from synapse_bridge.generate.elixir_format import statement

RESERVED = frozenset(
    (
        "run",
        "run_sync",
        "run_stream",
        "text_stream",
        "start_stream",
        "dump_messages",
        "load_messages",
    )
)
"""Functions that each agent has: a tool of such a name is called through the client."""


def sources(contract: Contract) -> Iterator[tuple[str, str, list[list[str]]]]:
    """Of each file: its path beside those of messages, its module, and what that consists of."""
    for agent in contract.agents:
        one, path = _Agent(contract, agent), underscore(agent.elixir)
        yield f"{path}.ex", one.module, list(one.blocks())
        yield f"{path}/conversation.ex", f"{one.module}.Conversation", [one.conversation()]


class _Agent:
    def __init__(self, contract: Contract, agent: Agent) -> None:
        self._contract = contract
        self._agent = agent
        self._client = contract.service.elixir
        self._methods = {method.name: method for method in contract.service.methods}
        self._modules = {item.name: item.elixir for item in contract.named()}
        self._run = self._methods[agent.methods["run"]]
        self._docs = AgentDocumentation(contract, agent)
        self.module = f"{self._client}.{agent.elixir}"
        self.prefix = self._run.elixir.removesuffix("_run")

    def blocks(self) -> Iterator[list[str]]:
        """The parts of the agent's module."""
        start = f"{self._contract.service.module}.{self._agent.variable}"
        use = f"use SynapseBridge.Agent, client: {self._client}, prefix: :{self.prefix}"
        use += f", result: {self._modules[f'{start}.Result']}"
        use += f", event: {self._modules[f'{start}.Event']}"
        yield [*elixir_docs.attribute("moduledoc", self._docs.module()), *statement(use)]
        yield from self._types()
        for tool in self._agent.tools:
            if tool.method:
                yield from self._tool(self._methods[tool.method], tool.name)

    def conversation(self) -> list[str]:
        """What the conversation's module consists of."""
        return [
            *elixir_docs.attribute("moduledoc", self._docs.conversation()),
            *statement(f"use SynapseBridge.Agent.Conversation, agent: {self.module}"),
        ]

    def _types(self) -> Iterator[list[str]]:
        (prompt,) = arguments(self._contract, self._run)
        own = options(self._contract, self._run)
        (history,) = (field for field in own if field.name == "message_history")
        roles = [self._methods[self._agent.methods[role]] for role in ("run", "session")]
        raised = dict.fromkeys(error for method in roles for error in method.raises)
        yield _type("prompt", "What a run begins with.", [taken(prompt, self._modules)])
        yield _type(
            "messages",
            "A history of runs, or a part of one.",
            [given(history.type, self._modules)],
        )
        yield _type(
            "option",
            "An option of a run.",
            [*(option(field, self._modules) for field in own), "SynapseBridge.Agent.option()"],
        )
        yield _type("error", "Why a run came to no result.", self._errors(raised))

    def _errors(self, raised: Iterable[str]) -> list[str]:
        return [*(f"{self._modules[error]}.t()" for error in raised), "SynapseBridge.Error.t()"]

    def _tool(self, method: Method, tool: str) -> Iterator[list[str]]:
        """The functions that call a tool without a model."""
        name = method.elixir.removeprefix(f"{self.prefix}_")
        if name in RESERVED:
            return
        value = ":ok" if method.result is None else given(method.result, self._modules)
        result = ":ok" if method.result is None else f"{{:ok, {value}}}"
        errors = " | ".join(self._errors(method.raises))
        yield [
            *elixir_docs.attribute("doc", self._docs.tool(method, tool)),
            *self._delegate(method, name, f"{result} | {{:error, {errors}}}"),
        ]
        yield [
            *elixir_docs.attribute("doc", self._docs.tool_bang(method, name)),
            *self._delegate(method, f"{name}!", value),
        ]

    def _delegate(self, method: Method, name: str, result: str) -> list[str]:
        fields, own = arguments(self._contract, method), options(self._contract, method)
        opts = "opts" if any(map(_required, own)) else "opts \\\\ []"
        head = ", ".join([*(field.elixir for field in fields), opts])
        keywords = [
            *(option(field, self._modules) for field in own),
            "SynapseBridge.Client.option()",
        ]
        types = [*(taken(field, self._modules) for field in fields), f"[{' | '.join(keywords)}]"]
        target = method.elixir + ("!" if name.endswith("!") else "")
        return [
            *statement(f"@spec {name}({', '.join(types)}) :: {result}"),
            *statement(f"defdelegate {name}({head}), to: {self._client}, as: :{target}"),
        ]


def _type(name: str, doc: str, members: list[str]) -> list[str]:
    return [f'  @typedoc "{doc}"', *statement(f"@type {name} :: {' | '.join(members)}")]


def _required(field: Field) -> bool:
    return isinstance(field.default, Required | Streamed)
