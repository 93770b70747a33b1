"""What pydantic-ai raises becomes a declared error, whatever there is to tell it by.

It tells some failures by their text alone: these tests fail when it words them differently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai import Agent, CallDeferred, ModelRetry
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, RunContext
from pydantic_ai.toolsets import ExternalToolset, ToolsetTool
from pydantic_ai.usage import UsageLimits

from synapse_bridge.agents import errors, session
from synapse_bridge.agents.events import ToolDefinition


def _model(*parts: Callable[[], TextPart | ToolCallPart]) -> FunctionModel:
    """A model that always answers the same."""

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse([part() for part in parts])

    return FunctionModel(answer, model_name="the-model")


def _failure(agent: Agent[Any, Any], **options: Any) -> errors.AgentError:
    """How a run of the agent fails, as it is declared."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, is the question
        asyncio.run(agent.run("go", **options))
    found = errors.of_run(raised.value)
    assert found is not None, f"it is told as no failure of a run: {raised.value!r}"
    return found


def test_a_tool_that_never_has_enough() -> None:
    agent = Agent(_model(lambda: ToolCallPart("pick's", {})), retries=3)

    @agent.tool_plain(name="pick's")
    def pick() -> str:
        raise ModelRetry("another one")

    found = _failure(agent)
    assert isinstance(found, errors.ToolRetriesExceeded)
    assert (found.tool_name, found.max_retries) == ("pick's", 3)


def test_a_tool_that_there_is_not() -> None:
    found = _failure(Agent(_model(lambda: ToolCallPart("nothing", {}))))
    assert isinstance(found, errors.ToolRetriesExceeded)
    assert (found.tool_name, found.max_retries) == ("nothing", 1)


def test_an_output_that_never_fits() -> None:
    agent = Agent(_model(lambda: ToolCallPart("final_result", {"a": "secret"})), output_type=int)
    found = _failure(agent)
    assert isinstance(found, errors.UnexpectedModelBehavior)
    assert found.detail == "Exceeded maximum output retries (1)"


def test_a_text_that_is_no_output() -> None:
    agent = Agent(_model(lambda: TextPart("secret")), output_type=int, retries=2)
    found = _failure(agent)
    assert isinstance(found, errors.UnexpectedModelBehavior)
    assert found.detail == "Exceeded maximum output retries (2)"


def test_a_limit_that_would_be_crossed() -> None:
    found = _failure(
        Agent(_model(lambda: TextPart("a"))), usage_limits=UsageLimits(request_limit=0)
    )
    assert isinstance(found, errors.UsageLimitExceeded)
    assert found.detail == "The next request would exceed the request_limit of 0"


class _Others(ExternalToolset[Any]):
    """Tools that an agent has from somewhere else, as those of an MCP server."""

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        return {"stock": (await session.toolset([_stock()]).get_tools(ctx))["stock"]}


def _stock() -> ToolDefinition:
    return ToolDefinition("stock", "What there is.", {"type": "object"})


def test_a_tool_of_the_callers_that_the_agent_has_from_elsewhere() -> None:
    agent = Agent(_model(lambda: TextPart("a")), toolsets=[_Others([])])
    found = _failure(agent, toolsets=[session.toolset([_stock()])])
    assert isinstance(found, errors.InvalidTools)
    assert found.detail == "the agent has a tool stock already"


def test_a_call_that_waits_for_an_answer_again() -> None:
    agent = Agent(_model(lambda: ToolCallPart("order", {})))

    @agent.tool_plain(requires_approval=True)
    def order() -> str:
        raise CallDeferred

    def approve(
        context: RunContext[Any], requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        return requests.build_results(
            approvals={call.tool_call_id: True for call in requests.approvals}
        )

    found = _failure(agent, capabilities=[HandleDeferredToolCalls(approve)])
    assert isinstance(found, errors.UnansweredToolCalls)
