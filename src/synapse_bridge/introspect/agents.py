"""Agents → methods. Only here, and only where an agent is named, pydantic-ai is imported."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from synapse_bridge.contract import names
from synapse_bridge.contract.model import Agent, AgentTool, Method
from synapse_bridge.introspect import source
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.functions import Calls, read_function
from synapse_bridge.introspect.loading import load, suggestion
from synapse_bridge.introspect.refusal import IntrospectionError

if TYPE_CHECKING:
    from synapse_bridge.agents import Service


@dataclass(frozen=True, slots=True)
class Wanted:
    """An agent to bridge, by its variable, and how.

    ``name`` is what its methods begin with, in the place of the variable without ``_agent``.
    ``deps_factory`` is ``package.module:function``. With ``expose``, its tools are methods, too.
    """

    variable: str
    name: str = ""
    deps_factory: str = ""
    models: tuple[str, ...] = ()
    expose: bool = False

    @property
    def prefix(self) -> str:
        """What the names of its methods begin with."""
        return self.name or self.variable.removesuffix("_agent").strip("_") or self.variable


@dataclass(frozen=True, slots=True)
class Read:
    """An agent, and how it is wanted."""

    service: Service
    wanted: Wanted

    def parts(self) -> list[Any]:
        """The functions of the module that belong to the agent, and are none of the service's."""
        tools = _definition().tools(self.service.agent).values()
        return [*(tool.function for tool in tools), self.service.deps.factory]


def load_agents(module: ModuleType, wanted: Iterable[Wanted]) -> list[Read]:
    """The agents of a module; nothing of them is in a catalogue yet."""
    return [Read(_load(module, one), one) for one in wanted]


def read_methods(
    module: ModuleType, agent: Read, catalogue: Catalogue, calls: Mapping[str, Calls]
) -> list[Method]:
    """An agent's methods, whose requests and responses go to the catalogue."""
    service, prefix = agent.service, agent.wanted.prefix
    catalogue.reachable |= {*service.classes.named()}
    catalogue.owners[f"{module.__name__}.{service.variable}."] = names.camelize(prefix)
    methods = []
    found = {role: (f"{role}", getattr(service, role)) for role in _roles()}
    for name, function in vars(service.tools).items():
        found[f"tools.{name}"] = (name, function)
    for path, (last, function) in found.items():
        name = f"{prefix}_{last}"
        expression = f"{service.variable}.{path}"
        called = calls.get(name, Calls())
        read = read_function(name, function, module.__name__, expression, catalogue, called)
        if read is not None:
            methods.append(read)
    return methods


def method_names(served: Iterable[Read]) -> set[str]:
    """The names of the methods of agents, for what is said about them."""
    return {
        f"{agent.wanted.prefix}_{name}"
        for agent in served
        for name in (*_roles(), *vars(agent.service.tools))
    }


def definitions(read: Iterable[Read], catalogue: Catalogue) -> tuple[Agent, ...]:
    """The agents of the contract, once all that they need is in the catalogue."""
    return tuple(_agent(one, catalogue) for one in read)


def _roles() -> tuple[str, ...]:
    return _library().service.ROLES  # type: ignore[no-any-return] # a module by its name


def _library() -> Any:
    try:
        return importlib.import_module("synapse_bridge.agents")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("pydantic_ai"):
            raise
        raise IntrospectionError(
            "agents need pydantic-ai, which is not installed\n"
            "  → pip install 'synapse_bridge[agents]'"
        ) from None


def _definition() -> Any:
    return importlib.import_module("synapse_bridge.agents.definition")


def _load(module: ModuleType, wanted: Wanted) -> Service:
    library = _library()
    where = source.display(module.__file__)
    if not hasattr(module, wanted.variable):
        known = [name for name in vars(module) if not name.startswith("_")]
        raise IntrospectionError(
            f"{where}: `{module.__name__}` has no agent `{wanted.variable}`"
            + suggestion(wanted.variable, known)
        )
    try:
        agent = library.checked(getattr(module, wanted.variable), module.__name__, wanted.variable)
        made: Service = library.Service(
            agent,
            module=module.__name__,
            variable=wanted.variable,
            name=wanted.prefix,
            deps_factory=_factory(wanted.deps_factory),
            models=wanted.models,
            tools=library.typed_tools(agent) if wanted.expose else (),
        )
    except library.Unfit as error:
        raise IntrospectionError(f"{where}: agent `{wanted.variable}`: {error}") from None
    return made


def _factory(path: str) -> Any | None:
    return load(path)[2] if path else None


def _agent(read: Read, catalogue: Catalogue) -> Agent:
    service, wanted, definition = read.service, read.wanted, _definition()
    start = f"{service.module}.{service.variable}"
    results = catalogue.messages[f"{start}.Result"].fields
    output = next(field.type for field in results if field.name == "output")
    options = catalogue.messages[f"{start}.run#request"].fields
    tools = definition.tools(service.agent).values()
    return Agent(
        name=wanted.prefix,
        variable=wanted.variable,
        elixir=catalogue.owners[f"{start}."],
        doc=definition.description(service.agent),
        output=output,
        deps=next((field.type for field in options if field.name == "deps"), None),
        tools=tuple(
            AgentTool(
                name=tool.name,
                doc=source.clean(tool.description),
                parameters=tool.function_schema.json_schema,
                approval=tool.requires_approval,
                method=f"{wanted.prefix}_{tool.name}" if hasattr(service.tools, tool.name) else "",
            )
            for tool in tools
        ),
        methods={role: f"{wanted.prefix}_{role}" for role in _roles()},
        deps_factory=wanted.deps_factory,
        models=wanted.models,
    )
