"""An agent's own tools as functions that a caller calls itself, without a model."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_ai import tools as known  # pants: no-infer-dep
from pydantic_ai.agent import AbstractAgent  # pants: no-infer-dep
from pydantic_ai.models.test import TestModel  # pants: no-infer-dep
from pydantic_ai.usage import RunUsage  # pants: no-infer-dep

from synapse_bridge.agents import definition, errors
from synapse_bridge.agents.deps import CONTEXT, Deps
from synapse_bridge.agents.given import Given
from synapse_bridge.agents.made import signed
from synapse_bridge.agents.refusal import Unfit


def typed(agent: AbstractAgent[Any, Any]) -> tuple[str, ...]:
    """The names of the tools that say the types of all that they take and return."""
    return tuple(name for name, tool in definition.tools(agent).items() if _is_typed(tool))


def _is_typed(tool: known.Tool[Any]) -> bool:
    hints = _hints(tool)
    return "return" in hints and all(one.name in hints for one in _parameters(tool))


def _hints(tool: known.Tool[Any]) -> dict[str, Any]:
    return typing.get_type_hints(inspect.unwrap(tool.function), include_extras=True)


def _parameters(tool: known.Tool[Any]) -> list[inspect.Parameter]:
    """What a tool takes besides its ``RunContext``, which comes first."""
    found = list(inspect.signature(tool.function).parameters.values())
    return found[1:] if tool.takes_ctx else found


@dataclass(frozen=True, slots=True)
class Direct:
    """Makes functions of the tools of an agent."""

    agent: AbstractAgent[Any, Any]
    deps: Deps
    variable: str
    prefix: str

    def function(self, name: str) -> Callable[..., Any]:
        """The function of a tool: its own parameters, and the agent's ``deps`` as an option."""
        tool = definition.tools(self.agent)[name]
        if not name.isidentifier():
            raise Unfit(f"the tool name {name!r} is no name of a function", "give it another one")
        hints, parameters = _hints(tool), _parameters(tool)
        for one in parameters:
            if one.name in ("deps", "context") and tool.takes_ctx:
                raise Unfit(
                    f"parameter `{one.name}` of the tool `{name}` is called as an option of calls",
                    "rename it",
                )

        async def call(**given: Any) -> Any:
            arguments = {one.name: given[one.name] for one in parameters if one.name in given}
            with errors.declared(partial(errors.of_tool, name)):
                if not tool.takes_ctx:
                    return await _called(tool, [], arguments)
                async with self.deps.given(given, given["context"]) as made:
                    return await _called(tool, [self._context(made, name)], arguments)

        taken = [one.replace(annotation=hints[one.name]) for one in parameters]
        if tool.takes_ctx:
            taken += [*self.deps.option(), CONTEXT]
        return signed(
            call,
            f"{self.prefix}_{name}",
            module=tool.function.__module__,
            path=f"{self.variable}.tools.{name}",
            doc=inspect.getdoc(tool.function),
            parameters=taken,
            result=hints["return"],
            given=_given(tool, name),
            raises=errors.OF_TOOLS,
        )

    def _context(self, made: Any, name: str) -> known.RunContext[Any]:
        """What a tool sees of a run that there is not."""
        model: Any = getattr(self.agent, "model", None)
        if model is None or isinstance(model, str):
            model = TestModel()  # a tool may look at it, and nobody asks it
        return known.RunContext(deps=made, model=model, usage=RunUsage(), tool_name=name)


async def _called(tool: known.Tool[Any], positional: list[Any], named: Mapping[str, Any]) -> Any:
    """What a tool returns; a sync one may block, and runs in a thread."""
    if inspect.iscoroutinefunction(inspect.unwrap(tool.function)):
        return await tool.function(*positional, **named)
    return await asyncio.to_thread(tool.function, *positional, **named)


def _given(tool: known.Tool[Any], name: str) -> dict[str, Given]:
    code = inspect.unwrap(tool.function).__code__
    return {"": Given(code.co_filename, code.co_firstlineno, f"tool `{name}`", "")}
