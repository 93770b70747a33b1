"""What an agent says of itself: its output, its tools, and where it stands in the source."""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Any

from pydantic import JsonValue
from pydantic_ai import Agent  # pants: no-infer-dep
from pydantic_ai import output as outputs  # pants: no-infer-dep
from pydantic_ai.agent import AbstractAgent  # pants: no-infer-dep
from pydantic_ai.tools import DeferredToolRequests, Tool  # pants: no-infer-dep
from pydantic_ai.toolsets import FunctionToolset  # pants: no-infer-dep

from synapse_bridge.agents.refusal import Unfit


@dataclass(frozen=True, slots=True)
class Lines:
    """Where an agent stands: its file, its line, and those of arguments of its constructor."""

    file: str | None
    line: int
    arguments: Mapping[str, tuple[int, str]]


def checked(agent: object, module: str, variable: str) -> AbstractAgent[Any, Any]:
    """The agent; raises :class:`Unfit` for what is none."""
    if not isinstance(agent, AbstractAgent):
        kind = type(agent).__name__
        raise Unfit(
            f"`{module}:{variable}` is no agent but `{kind}`",
            f"write `{variable} = pydantic_ai.Agent(…)`",
        )
    return agent


def output_type(agent: AbstractAgent[Any, Any]) -> Any:
    """The annotation of what a run comes to.

    Requests for deferred tools are no result here: a caller answers them while the run goes on.
    """
    found = [one for one in _outputs(agent.output_type) if one is not DeferredToolRequests]
    return reduce(or_, found) if found else NoneType


def text_is_output(agent: AbstractAgent[Any, Any]) -> bool:
    """Whether what the model writes is the output as it stands, and nothing is made of it."""
    spec: Any = agent.output_type
    found = spec if isinstance(spec, Sequence) else [spec]
    return any(one is str or str in typing.get_args(one) for one in found)


def _outputs(spec: Any) -> Iterator[Any]:
    match spec:
        case outputs.NativeOutput() | outputs.PromptedOutput():
            yield from _outputs(spec.outputs)
        case outputs.ToolOutput():
            yield from _outputs(spec.output)
        case outputs.TextOutput():
            yield _returned(spec.output_function)
        case str():
            raise Unfit(f"the output type {spec!r} is a text", "name the class itself")
        case Sequence():
            for one in spec:
                yield from _outputs(one)
        case _ if inspect.isroutine(spec):
            yield _returned(spec)
        case type() if issubclass(spec, dict) and spec is not dict and not _is_typed_dict(spec):
            yield dict[str, JsonValue]  # what StructuredDict makes; its values are plain dicts
        case _:
            yield spec


def _is_typed_dict(cls: Any) -> bool:
    return typing.is_typeddict(cls) or hasattr(cls, "__required_keys__")


def _returned(function: Any) -> Any:
    """What an output function returns."""
    hints = typing.get_type_hints(function, include_extras=True)
    if "return" not in hints:
        name = getattr(function, "__qualname__", function)
        raise Unfit(
            f"the output function `{name}` does not say what it returns",
            "write `-> …` with its type",
        )
    return hints["return"]


def deps_type(agent: AbstractAgent[Any, Any]) -> Any:
    """The annotation of the agent's deps; ``NoneType`` where it has none."""
    return agent.deps_type


def tools(agent: AbstractAgent[Any, Any]) -> dict[str, Tool[Any]]:
    """The agent's tools that are Python functions, by name."""
    found: dict[str, Tool[Any]] = {}
    for toolset in agent.toolsets:
        if isinstance(toolset, FunctionToolset):
            found |= toolset.tools
    return found


def description(agent: AbstractAgent[Any, Any]) -> str:
    """What the agent says that it is for."""
    said = agent.description if isinstance(agent, Agent) else None
    return inspect.cleandoc(said) if isinstance(said, str) else ""


def lines(module: str, variable: str) -> Lines:
    """Where the variable of a module gets its agent."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return Lines(None, 0, {})
    try:
        text = Path(file).read_text("utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return Lines(file, 0, {})
    for statement in tree.body:
        targets: list[ast.expr] = []
        match statement:
            case ast.Assign(targets=[*targets], value=value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                targets = [target]
            case _:
                continue
        if any(isinstance(one, ast.Name) and one.id == variable for one in targets):
            keywords = value.keywords if isinstance(value, ast.Call) else []
            named = {one.arg: one.value for one in keywords if one.arg}
            written = {name: (one.lineno, ast.unparse(one)) for name, one in named.items()}
            return Lines(file, statement.lineno, written)
    return Lines(file, 0, {})
