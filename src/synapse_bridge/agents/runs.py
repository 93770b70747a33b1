"""A run of an agent as a stream of events.

The loop is pydantic-ai's own: its nodes are streamed one after the other, in one task, so that
closing the stream ends the request to the model wherever it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pydantic_core
from pydantic import ValidationError
from pydantic_ai import Agent  # pants: no-infer-dep
from pydantic_ai import messages as said  # pants: no-infer-dep
from pydantic_ai.agent import AbstractAgent  # pants: no-infer-dep
from pydantic_ai.exceptions import ModelRetry, UserError  # pants: no-infer-dep
from pydantic_ai.result import AgentStream  # pants: no-infer-dep
from pydantic_ai.run import AgentRunResult  # pants: no-infer-dep
from pydantic_ai.tools import DeferredToolRequests  # pants: no-infer-dep

from synapse_bridge.agents import definition, events, messages
from synapse_bridge.agents.classes import Classes
from synapse_bridge.agents.pace import Pace

Fits = Callable[[Any], bool]
"""Whether a value is one of the agent's output type."""
Expect = Callable[[DeferredToolRequests], None]
"""Is told which calls a caller is asked about, before the caller is."""


def result(classes: Classes, found: AgentRunResult[Any]) -> Any:
    """What a run came to, as it crosses."""
    return classes.result(
        output=found.output,
        usage=messages.usage_of(found.usage),
        new_messages=messages.from_agent(found.new_messages()),
        run_id=found.run_id,
    )


class Run:
    """One run; its events can be told once."""

    def __init__(
        self, agent: AbstractAgent[Any, Any], classes: Classes, fits: Fits, expect: Expect
    ) -> None:
        self._agent = agent
        self._classes = classes
        self._fits = fits
        self._expect = expect
        self._text_is_output = definition.text_is_output(agent)

    async def events(self, prompt: Any, **options: Any) -> AsyncGenerator[Any, None]:
        """All that the run tells, in its order; the last event has the result."""
        async with self._agent.iter(prompt, **options) as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    for event in _feedback(node.request.parts):
                        yield event
                    async with node.stream(run.ctx) as stream, aclosing(self._asked(stream)) as own:
                        async for event in own:
                            yield event
                elif Agent.is_call_tools_node(node):
                    async with node.stream(run.ctx) as handled:
                        async for told in handled:
                            for event in self._handled(told):
                                yield event
            assert run.result is not None
            yield self._classes.finished(result=result(self._classes, run.result))

    async def _asked(self, stream: AgentStream[Any, Any]) -> AsyncGenerator[Any, None]:
        """What the model answers, piece by piece."""
        final: said.FinalResultEvent | None = None
        partials = _Partials(lambda: self._partial(stream, final))
        native = _NativeReturns()
        async for told in stream:
            grown = False
            for event in native.ended(told):
                yield event
            match told:
                case said.FinalResultEvent():
                    final, grown = told, True
                case said.PartStartEvent(part=said.TextPart(content=text)):
                    grown = True
                    if text:
                        yield events.TextDelta(text)
                case said.PartDeltaEvent(delta=said.TextPartDelta(content_delta=text)):
                    grown = True
                    if text:
                        yield events.TextDelta(text)
                case said.PartStartEvent(part=said.ThinkingPart(content=text)):
                    if text:
                        yield events.ThinkingDelta(text)
                case said.PartDeltaEvent(delta=said.ThinkingPartDelta(content_delta=text)):
                    if text:
                        yield events.ThinkingDelta(text)
                case said.PartDeltaEvent(delta=said.ToolCallPartDelta()):
                    grown = True
                case said.PartEndEvent(part=said.NativeToolCallPart() as part):
                    yield events.ToolCall(part.tool_call_id, part.tool_name, _args(part))
            if grown and final is not None and self._has_partials(final):
                async for partial in partials.grown():
                    yield partial
        async for partial in partials.ended():
            yield partial
        for event in native.ended():
            yield event

    def _has_partials(self, final: said.FinalResultEvent) -> bool:
        """Whether an output grows beside its text; text that is the output tells itself."""
        return final.tool_name is not None or not self._text_is_output

    async def _partial(
        self, stream: AgentStream[Any, Any], final: said.FinalResultEvent | None
    ) -> Any | None:
        """The output so far, where it is one."""
        assert final is not None
        try:
            output = await stream.validate_response_output(stream.response, allow_partial=True)
        except (ValidationError, ModelRetry, UserError):
            return None  # The last is for calls that wait for an answer: they end the response too.
        if (final.tool_name is None and isinstance(output, str)) or not self._fits(output):
            return None
        return self._classes.partial_output(output=output)

    def _handled(self, told: said.AgentStreamEvent) -> Iterator[Any]:
        """What becomes of the model's tool calls."""
        match told:
            case said.FunctionToolCallEvent(part=part):
                yield events.ToolCall(part.tool_call_id, part.tool_name, _args(part))
            case said.ToolResultEvent(part=part):
                if part.outcome == "retried":
                    yield events.RetryPrompt(part.tool_name, _text(part.content))
                elif isinstance(told, said.FunctionToolResultEvent):
                    yield _returned(part)
            case said.DeferredToolRequestsEvent(requests=requests):
                self._expect(requests)
                yield from _requested(requests)


def _requested(requests: DeferredToolRequests) -> Iterator[Any]:
    """The questions to the caller, all of a step at once."""
    for call in requests.calls:
        yield events.ToolRequest(call.tool_call_id, call.tool_name, _args(call))
    for call in requests.approvals:
        about = requests.metadata.get(call.tool_call_id, {})
        yield events.ApprovalRequest(
            call.tool_call_id, call.tool_name, _args(call), pydantic_core.to_jsonable_python(about)
        )


class _Partials:
    """The outputs of one response as far as they are written, each told once.

    An output is validated whole, so that its pieces take the longer the more there are. Long
    outputs are made of fewer of their pieces, and always of the last one.
    """

    def __init__(self, make: Callable[[], Awaitable[Any | None]]) -> None:
        self._make = make
        self._pace = Pace()
        self._last: Any = None
        self._is_behind = False

    async def grown(self) -> AsyncIterator[Any]:
        """The output after a piece, if it is time for one."""
        self._is_behind = not self._pace.is_due
        if not self._is_behind:
            async for output in self._made():
                yield output

    async def ended(self) -> AsyncIterator[Any]:
        """The output after the last piece, if it has not been told."""
        if self._is_behind:
            async for output in self._made():
                yield output

    async def _made(self) -> AsyncIterator[Any]:
        with self._pace.timed():
            output = await self._make()
        if output is not None and output != self._last:
            self._last = output
            yield output


class _NativeReturns:
    """What tools came to that the provider runs itself.

    pydantic-ai tells when such a part begins, which it may do again with more in it, and not when
    it ends: that is when another one begins, or the response is over.
    """

    def __init__(self) -> None:
        self._open: dict[int, said.NativeToolReturnPart] = {}

    def ended(self, told: Any = None) -> Iterator[Any]:
        """The events of parts that end with an event of the response, or with the response."""
        if told is not None and not isinstance(told, said.PartStartEvent):
            return
        index = None if told is None else told.index
        for ended in [one for one in self._open if one != index]:
            yield _returned(self._open.pop(ended))
        if told is not None and isinstance(told.part, said.NativeToolReturnPart):
            self._open[told.index] = told.part


def _returned(part: said.ToolReturnPart | said.NativeToolReturnPart) -> Any:
    outcome: Any = part.outcome  # never "retried": that is told as a RetryPrompt
    content = messages.content_of(part)
    return events.ToolReturn(part.tool_call_id, part.tool_name, content, outcome)


def _feedback(parts: Sequence[said.ModelRequestPart]) -> Iterator[Any]:
    """What the model is told about an output that was none."""
    for part in parts:
        if isinstance(part, said.RetryFeedbackPart):
            yield events.RetryPrompt(None, _text(part.content))


def _args(part: said.ToolCallPart | said.NativeToolCallPart) -> Any:
    """The arguments of a call; the text that the model wrote where that is no JSON object."""
    given = part.args
    if not given:
        return {}
    if isinstance(given, str):
        try:
            parsed = pydantic_core.from_json(given)
        except ValueError:
            return given
        return parsed if isinstance(parsed, dict) else given
    return pydantic_core.to_jsonable_python(given)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return pydantic_core.to_json(content).decode()
