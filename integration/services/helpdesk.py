"""Agents whose models do what the prompt says, so that a test says what happens.

Each line of a prompt is a response of the model, one after the other:

=============================== ============================================================
line                            response
=============================== ============================================================
``say TEXT``                    the text, streamed word by word
``think TEXT``                  the same as thinking, before the next line
``call NAME JSON; NAME JSON``   calls of tools, all at once
``search TEXT``                 a search that the provider runs itself, and the text
``repeat``                      what the tools have said to the last calls
``prompts``                     the first lines of all prompts so far
``wait``                        one word, and then nothing for a long time
``fail STATUS``                 none: the provider answers with an HTTP status
=============================== ============================================================
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import BaseModel, Field
from pydantic_ai import Agent, RunContext
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    TextPart,
    ThinkingPart,
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

from synapse_bridge.agents import strategies

_REQUESTS: Counter[str] = Counter()


def requests() -> dict[str, int]:
    """How many requests to the model have started, ended, and were cancelled."""
    return dict(_REQUESTS)


async def tasks() -> int:
    """How many tasks the server's event loop has."""
    return len(asyncio.all_tasks())


def _prompt_lines(messages: Sequence[ModelMessage]) -> list[list[str]]:
    """The lines of each prompt so far."""
    return [
        _written(part).splitlines()
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]


def _written(part: UserPromptPart) -> str:
    """The text of a prompt, which may have more than text."""
    content = [part.content] if isinstance(part.content, str) else part.content
    return "\n".join(one for one in content if isinstance(one, str))


def _last_prompt(messages: Sequence[ModelMessage]) -> int:
    return max(
        index
        for index, message in enumerate(messages)
        if any(isinstance(part, UserPromptPart) for part in message.parts)
    )


def _line(messages: Sequence[ModelMessage]) -> tuple[str, str, str]:
    """What the model thinks, does, and with what."""
    lines = _prompt_lines(messages)[-1]
    thinking = {i + 1: line for i, line in enumerate(lines) if line.startswith("think ")}
    since = messages[_last_prompt(messages) :]
    turn = sum(isinstance(message, ModelResponse) for message in since)
    index = [i for i, line in enumerate(lines) if not line.startswith("think ")][turn]
    verb, _, rest = lines[index].partition(" ")
    return thinking.get(index, "").removeprefix("think "), verb, rest


def _said(part: ModelRequestPart) -> str | None:
    match part:
        case ToolReturnPart(tool_name=name, outcome=outcome):
            return f"{name} {outcome}: {part.model_response_str()}"
        case RetryPromptPart(tool_name=name):
            return f"{name} retry: {part.model_response().splitlines()[0]}"
    return None


def _text(verb: str, rest: str, messages: Sequence[ModelMessage]) -> str:
    match verb:
        case "repeat":
            said = (_said(part) for part in messages[-1].parts)  # type: ignore[arg-type]
            return " | ".join(filter(None, said))
        case "prompts":
            return ", ".join(lines[0] for lines in _prompt_lines(messages))
        case _:
            return rest


def _calls(rest: str) -> list[tuple[str, str]]:
    return [(name, args) for name, _, args in (one.partition(" ") for one in rest.split("; "))]


def _search(text: str) -> list[NativeToolCallPart | NativeToolReturnPart]:
    found = [{"url": "https://example.com", "title": text}]
    return [
        NativeToolCallPart("web_search", {"query": text, "limit": 1}, "search-1"),
        NativeToolReturnPart("web_search", found, "search-1"),
    ]


async def _respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    thinking, verb, rest = _line(messages)
    parts: list[ModelResponsePart] = [ThinkingPart(thinking)] if thinking else []
    async for _ in _watched(verb, rest):
        pass
    if verb == "search":
        parts += _search(rest)
    if verb == "call":
        parts += [ToolCallPart(name, args) for name, args in _calls(rest)]
    else:
        parts.append(TextPart(_text(verb, rest, messages)))
    return ModelResponse(parts)


async def _stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
    thinking, verb, rest = _line(messages)
    if thinking:
        yield {0: DeltaThinkingPart(content=thinking)}
    async for word in _watched(verb, rest):
        yield word
    for index, part in enumerate(_search(rest) if verb == "search" else []):
        yield {index: part}
    if verb == "call":
        for index, (name, args) in enumerate(_calls(rest)):
            yield {index + 1: DeltaToolCall(name=name)}
            for start in range(0, len(args), 8):
                yield {index + 1: DeltaToolCall(json_args=args[start : start + 8])}
    else:
        first, *others = _text(verb, rest, messages).split(" ")
        for word in (first, *(f" {other}" for other in others)):
            yield word


async def _watched(verb: str, rest: str) -> AsyncIterator[str]:
    """What a request to a provider is: it may take long, fail, and be cancelled."""
    _REQUESTS["started"] += 1
    try:
        if verb == "fail":
            raise ModelHTTPError(int(rest), "scripted", body={"key": "sk-secret"})
        if verb == "wait":
            yield "wait"
            await asyncio.sleep(3600)
    # The one while it sleeps, the other while the word is under way.
    except (asyncio.CancelledError, GeneratorExit):
        _REQUESTS["cancelled"] += 1
        raise
    finally:
        _REQUESTS["ended"] += 1


_MODEL = FunctionModel(_respond, stream_function=_stream, model_name="scripted")

support_agent = Agent(_MODEL, description="Answers questions about orders.")


@support_agent.tool_plain
def count_words(text: str) -> int:
    """Counts the words of a text.

    Args:
        text: The words.
    """
    return len(text.split())


@support_agent.tool_plain(requires_approval=True)
def refund(order: str, cents: int) -> str:
    """Gives money back."""
    return f"{cents} cents for {order}"


class Customer(BaseModel):
    """Who asks."""

    name: str = Field(min_length=1)


class Verdict(BaseModel):
    """What a judge says."""

    text: str
    score: int = Field(ge=0, le=10)


judge_agent = Agent(_MODEL, output_type=Verdict, deps_type=Customer, retries=1)


@judge_agent.tool
def customer(ctx: RunContext[Customer], loud: bool = False) -> str:
    """Who asks.

    Args:
        loud: Whether in capitals.
    """
    return ctx.deps.name.upper() if loud else ctx.deps.name


def stored_histories(number: int) -> list[str]:
    """Random histories as pydantic-ai stores them, always the same."""
    made: list[str] = []

    @seed(1)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.histories())
    def collect(history: list[Any]) -> None:
        made.append(strategies.stored(history).decode())

    collect()
    return made


def is_json(text: str) -> bool:
    """Whether a text is what pydantic-ai itself stores of these messages."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    messages = ModelMessagesTypeAdapter.validate_json(text)
    return ModelMessagesTypeAdapter.dump_json(messages) == text.encode() and bool(json.loads(text))
