"""A run whose caller answers: it brings tools along, and is asked for approvals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import jsonschema
from pydantic_ai import tools as asked  # pants: no-infer-dep
from pydantic_ai.capabilities import HandleDeferredToolCalls  # pants: no-infer-dep
from pydantic_ai.exceptions import ModelRetry, ToolFailed  # pants: no-infer-dep
from pydantic_ai.toolsets import ExternalToolset, ToolsetTool  # pants: no-infer-dep

from synapse_bridge.agents import errors, events


class Session:
    """What the caller is asked, and its answers.

    Answers are read while the run goes on, and are kept until the run waits for them. One that
    nobody asked for ends the run, and so does the end of the answers while the run waits.
    """

    def __init__(self) -> None:
        self._asked: dict[str, Literal["call", "approval"]] = {}
        self._answers: dict[str, Any] = {}
        self._failure: BaseException | None = None
        self._ended = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def reading(self, answers: AsyncIterator[Any]) -> AsyncIterator[None]:
        """Reads the answers as long as the block lasts."""
        reader = asyncio.create_task(self._read(answers))
        try:
            yield
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    def expect(self, requests: asked.DeferredToolRequests) -> None:
        """Note what the caller is about to be asked."""
        self._asked |= {call.tool_call_id: "call" for call in requests.calls}
        self._asked |= {call.tool_call_id: "approval" for call in requests.approvals}

    def check(self) -> None:
        """Raise what is wrong with the answers so far."""
        if self._failure is not None:
            raise self._failure

    async def answered(
        self, context: asked.RunContext[Any], requests: asked.DeferredToolRequests
    ) -> asked.DeferredToolResults:
        """The answers to all requests of a step: pydantic-ai's handler of deferred calls."""
        calls = [call.tool_call_id for call in requests.calls]
        approvals = [call.tool_call_id for call in requests.approvals]
        while open_ := [name for name in (*calls, *approvals) if name not in self._answers]:
            self.check()
            if self._ended:
                raise errors.AnswersEnded(open_)
            self._changed.clear()
            await self._changed.wait()
        self.check()
        # They go, for the model may give a later call the same id.
        given = {name: self._answers.pop(name) for name in (*calls, *approvals)}
        for name in given:
            del self._asked[name]
        _count(context, [(call.tool_name, given[call.tool_call_id]) for call in requests.calls])
        return requests.build_results(
            calls={name: _called(given[name]) for name in calls},
            approvals={name: _decided(given[name]) for name in approvals},
        )

    async def _read(self, answers: AsyncIterator[Any]) -> None:
        try:
            async for answer in answers:
                self._take(answer)
                self._changed.set()
            self._ended = True
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._failure = error
        finally:
            self._changed.set()

    def _take(self, answer: Any) -> None:
        name = answer.tool_call_id
        if name not in self._asked:
            raise errors.UnexpectedAnswer(name, "there is no such call")
        if name in self._answers:
            raise errors.UnexpectedAnswer(name, "it has been answered already")
        decides = isinstance(answer, events.Approval | events.Denial)
        if decides != (self._asked[name] == "approval"):
            wanted = "an approval or a denial" if not decides else "a result, a retry or a failure"
            raise errors.UnexpectedAnswer(name, f"it wants {wanted}")
        self._answers[name] = answer


def _count(context: asked.RunContext[Any], answers: Sequence[tuple[str, Any]]) -> None:
    """Have pydantic-ai count retries that the caller asks for as if a tool of its own had.

    It counts those that it runs into itself, and takes answers as they are. ``answers`` are pairs
    of a tool's name and an answer.
    """
    manager = context.tool_manager
    assert manager is not None
    assert manager.tools is not None
    for name, answer in answers:
        match answer:
            case events.ToolRetry():
                most = manager.tools[name].max_retries
                if context.retries.get(name, 0) >= most:
                    raise errors.ToolRetriesExceeded(name, most)
                manager.failed_tools.add(name)
            case events.ToolResult():
                manager.succeeded_tools.add(name)


def _called(answer: Any) -> Any:
    match answer:
        case events.ToolRetry(message=message):
            return ModelRetry(message)
        case events.ToolFailure(message=message):
            return ToolFailed(message)
    return answer.content


def _decided(answer: Any) -> asked.ToolApproved | asked.ToolDenied:
    if isinstance(answer, events.Approval):
        return asked.ToolApproved(override_args=answer.override_args)
    return asked.ToolDenied(answer.message)


def toolset(
    tools: Sequence[events.ToolDefinition], own: Container[str] = ()
) -> ExternalToolset[Any]:
    """The caller's tools, beside the agent's ``own``.

    Raises :class:`~synapse_bridge.agents.errors.InvalidTools`.
    """
    names = [tool.name for tool in tools]
    if taken := [name for name in names if name in own]:
        raise errors.InvalidTools(f"the agent has tools {', '.join(taken)} of its own")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise errors.InvalidTools(f"there are several tools {', '.join(twice)}")
    return _CallersTools([_definition(tool) for tool in tools], id="caller")


class _CallersTools(ExternalToolset[Any]):
    """External tools that may be called again as often as the agent's own."""

    async def get_tools(self, ctx: asked.RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        found = await super().get_tools(ctx)
        return {name: replace(tool, max_retries=ctx.max_retries) for name, tool in found.items()}


def _definition(tool: events.ToolDefinition) -> asked.ToolDefinition:
    if not tool.name:
        raise errors.InvalidTools("a tool has no name")
    if tool.parameters.get("type") != "object":
        raise errors.InvalidTools(
            f"the parameters of {tool.name} are no JSON Schema of type `object`"
        )
    try:
        jsonschema.Draft202012Validator.check_schema(tool.parameters)
    except jsonschema.SchemaError as error:
        text = f"the parameters of {tool.name} are no JSON Schema: {error.message}"
        raise errors.InvalidTools(text) from None
    return asked.ToolDefinition(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=tool.parameters,
        sequential=tool.sequential,
        kind="external",
    )


def unanswered() -> HandleDeferredToolCalls[Any]:
    """What handles deferred calls where there is nobody to ask."""

    def handle(context: asked.RunContext[Any], requests: asked.DeferredToolRequests) -> None:
        called = [*requests.calls, *requests.approvals]
        raise errors.UnansweredToolCalls(list(dict.fromkeys(call.tool_name for call in called)))

    return HandleDeferredToolCalls(handle)
