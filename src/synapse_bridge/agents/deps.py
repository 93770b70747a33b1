"""What an agent's tools depend on: what the caller sends, what the server makes, or both."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import NoneType
from typing import Any

from synapse_bridge.agents.refusal import Unfit
from synapse_bridge.context import Context

MISSING: Any = inspect.Parameter.empty
"""No default: the caller has to say it."""
CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=Context)
"""By which the server gives the call's context."""


@dataclass(frozen=True, slots=True)
class Deps:
    """How an agent gets its deps.

    ``annotation`` is the type of what the caller sends, or ``None`` where that is nothing;
    ``default`` goes in its place where the caller sends none.
    """

    annotation: Any | None
    default: Any = MISSING
    factory: Callable[..., Any] | None = None
    parameter: inspect.Parameter | None = None
    context: inspect.Parameter | None = None

    def option(self) -> list[inspect.Parameter]:
        """The parameter by which a caller sends it, if it sends any."""
        if self.annotation is None:
            return []
        kind = inspect.Parameter.KEYWORD_ONLY
        return [inspect.Parameter("deps", kind, default=self.default, annotation=self.annotation)]

    @asynccontextmanager
    async def given(self, options: Mapping[str, Any], context: Context) -> AsyncIterator[Any]:
        """The deps of one run."""
        sent = options.get("deps", self.default)
        if self.factory is None:
            yield None if sent is MISSING else sent
            return
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for parameter, value in ((self.parameter, sent), (self.context, context)):
            if parameter is None or value is MISSING:
                continue
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        if _is_context_manager(self.factory):
            managed = self.factory(*positional, **named)
            if not hasattr(managed, "__aenter__"):
                managed = asynccontextmanager(lambda: managed)()
            async with managed as made:
                yield made
            return
        if inspect.iscoroutinefunction(self.factory):
            yield await self.factory(*positional, **named)
        else:
            yield await asyncio.to_thread(self.factory, *positional, **named)


def read(deps_type: Any, factory: Callable[..., Any] | None) -> Deps:
    """How an agent of these deps gets them; raises :class:`Unfit` for what cannot be told."""
    if factory is None:
        return Deps(None) if deps_type in (NoneType, object) else Deps(deps_type)
    name = getattr(factory, "__qualname__", repr(factory))
    if not callable(factory) or isinstance(factory, type):
        raise Unfit(f"the deps factory `{name}` is no function", "name a function")
    hints = typing.get_type_hints(inspect.unwrap(factory), include_extras=True)
    sent: inspect.Parameter | None = None
    context: inspect.Parameter | None = None
    for parameter in inspect.signature(factory).parameters.values():
        hint = hints.get(parameter.name)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if hint is None:
            raise Unfit(
                f"parameter `{parameter.name}` of the deps factory `{name}` has no annotation",
                f"write `{parameter.name}: …` with its type",
            )
        if Context in (hint, *typing.get_args(hint)):
            context = parameter
        elif sent is not None:
            raise Unfit(
                f"the deps factory `{name}` takes both `{sent.name}` and `{parameter.name}`",
                "take one model with all that a caller sends",
            )
        else:
            sent = parameter
    if sent is None:
        return Deps(None, factory=factory, context=context)
    return Deps(hints[sent.name], sent.default, factory, sent, context)


def _is_context_manager(factory: Callable[..., Any]) -> bool:
    """Whether it is an async generator, with or without ``@asynccontextmanager`` around it."""
    return inspect.isasyncgenfunction(inspect.unwrap(factory))
