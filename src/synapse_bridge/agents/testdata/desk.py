"""Agents for tests: their models are functions, which do what a prompt says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import (
    AgentInfo,
    DeltaThinkingPart,
    DeltaToolCall,
    FunctionModel,
)

import synapse_bridge

SEEN: dict[str, object] = {}
"""What models and tools have seen, for tests."""


def _prompt(messages: list[ModelMessage]) -> str:
    for message in reversed(messages):
        for part in reversed(message.parts):
            if isinstance(part, UserPromptPart):
                return part.content if isinstance(part.content, str) else str(part.content[0])
    return ""


def _returned(messages: list[ModelMessage]) -> list[ToolReturnPart]:
    last = messages[-1]
    if not isinstance(last, ModelRequest):
        return []
    return [part for part in last.parts if isinstance(part, ToolReturnPart)]


async def _answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    SEEN["settings"], SEEN["messages"] = info.model_settings, messages
    SEEN["tools"] = [tool.name for tool in info.function_tools]
    prompt, word = _prompt(messages), _prompt(messages).partition(" ")[0]
    if word == "fail":
        raise ModelHTTPError(429, "the-model", {"secret": prompt}, headers={"Retry-After": "3"})
    if word == "wait":
        SEEN["open"] = True
        try:
            await asyncio.Event().wait()
        finally:
            SEEN["open"] = False
    if word == "native":
        return ModelResponse([SEARCH, FOUND, TextPart("It rains.")])
    if word == "count":
        return ModelResponse([TextPart(f"{len(messages)} messages")])
    if word == "thrice":
        done = sum(
            isinstance(part, ToolReturnPart) and part.outcome == "success"
            for message in messages
            for part in message.parts
        )
        call = ToolCallPart("stock", {}, f"call-{len(messages)}")
        return ModelResponse([TextPart("done") if done == 3 else call])
    if word == "call":
        returned = _returned(messages)
        if not returned:
            calls = json.loads(prompt.partition(" ")[2])
            return ModelResponse(
                [ToolCallPart(name, args, f"call-{n}") for n, (name, args) in enumerate(calls)]
            )
        if any(part.outcome == "retried" for part in returned):
            again = next(part for part in returned if part.outcome == "retried")
            SEEN["retried"] = again.content
            return ModelResponse([ToolCallPart(again.tool_name, {"order": 7}, "again")])
        told = ", ".join(f"{p.tool_name}: {p.content} ({p.outcome})" for p in returned)
        return ModelResponse([TextPart(told)])
    return ModelResponse([TextPart(f"You said: {prompt}")])


SEARCH = NativeToolCallPart("web_search", {"query": "rain", "limit": 2}, "search-1")
FOUND = NativeToolReturnPart("web_search", [{"url": "https://a.example"}], "search-1")


async def _stream(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[
    str
    | dict[int, DeltaToolCall]
    | dict[int, DeltaThinkingPart]
    | dict[int, NativeToolCallPart | NativeToolReturnPart]
]:
    prompt = _prompt(messages)
    if prompt == "forever":
        SEEN["open"] = True
        try:
            yield "begun"
            await asyncio.Event().wait()
        finally:
            SEEN["open"] = False
    if prompt == "think":
        yield {0: DeltaThinkingPart(content="hm")}
        yield {0: DeltaThinkingPart(content="hm")}
    response = await _answer(messages, info)
    for index, part in enumerate(response.parts):
        match part:
            case NativeToolCallPart() | NativeToolReturnPart():
                yield {index: part}
            case TextPart(content=text):
                for word in text.split(" "):
                    yield word + " "
            case ToolCallPart():
                call_id = part.tool_call_id
                args = part.args if isinstance(part.args, str) else part.args_as_json_str()
                yield {index: DeltaToolCall(part.tool_name, args, tool_call_id=call_id)}


MODEL = FunctionModel(_answer, stream_function=_stream, model_name="the-model")


@dataclass
class Desk:
    """What tools depend on."""

    name: str
    peer: str = ""


class Caller(BaseModel):
    """What a caller sends."""

    name: str


async def open_desk(caller: Caller, context: synapse_bridge.Context) -> AsyncIterator[Desk]:
    SEEN["desk"] = "open"
    try:
        yield Desk(caller.name, context.peer)
    finally:
        SEEN["desk"] = "closed"


support_agent = Agent(MODEL, deps_type=Desk, retries=2)


@support_agent.tool
async def lookup(context: RunContext[Desk], order: int) -> str:
    """Look an order up."""
    if order < 0:
        raise ModelRetry("orders are not negative")
    return f"{context.deps.name} has order {order}"


@support_agent.tool_plain(requires_approval=True)
async def refund(order: int) -> str:
    """Give money back."""
    return f"refunded {order}"


@support_agent.tool_plain
async def photo(order: int):  # type: ignore[no-untyped-def] # so it is no function of the service
    """A picture of an order."""
    return BinaryContent(bytes([order, 255]), media_type="image/png")


@support_agent.tool_plain
async def crash():  # type: ignore[no-untyped-def] # so it is no function of the service
    """Fails."""
    raise RuntimeError("the password is swordfish")


class Weather(BaseModel):
    """What the weather is."""

    city: str
    degrees: int


async def _forecast(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[dict[int, DeltaToolCall]]:
    name = info.output_tools[0].name
    retried = any(part.outcome == "retried" for part in _returned(messages))
    last = '"degrees": 21}' if retried or "wrong" not in _prompt(messages) else '"degrees": "hot"}'
    yield {0: DeltaToolCall(name, '{"city": "Par', tool_call_id=f"out-{len(messages)}")}
    yield {0: DeltaToolCall(json_args='is", ')}
    yield {0: DeltaToolCall(json_args=last)}


weather_agent = Agent(FunctionModel(stream_function=_forecast), output_type=Weather, retries=1)


async def _items(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[dict[int, DeltaToolCall]]:
    """As many as the prompt says, one piece each."""
    count = int(_prompt(messages))
    yield {0: DeltaToolCall(info.output_tools[0].name, '{"response": [0', tool_call_id="out")}
    for number in range(1, count):
        yield {0: DeltaToolCall(json_args=f", {number}")}
    yield {0: DeltaToolCall(json_args="]}")}


counter_agent = Agent(FunctionModel(stream_function=_items), output_type=list[int])


@counter_agent.output_validator
def slow(numbers: list[int]) -> list[int]:
    SEEN["validated"] = (*SEEN.get("validated", ()), len(numbers))
    time.sleep(0.002)
    return numbers


async def _poem(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) > 1 or _prompt(messages) == "long":
        return ModelResponse([TextPart("a long poem")])
    return ModelResponse([TextPart("short")])


async def _poem_stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    response = await _poem(messages, info)
    for part in response.parts:
        if isinstance(part, TextPart):
            for letter in part.content:
                yield letter


poet = Agent(FunctionModel(_poem, stream_function=_poem_stream), retries=1)


@poet.output_validator
def long_enough(text: str) -> str:
    SEEN["validated"] = (*SEEN.get("validated", ()), text)
    if len(text) < 8:
        raise ModelRetry("longer, please")
    return text
