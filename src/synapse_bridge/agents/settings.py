"""What a caller may set for a run: plain data only, nothing that reaches a provider's headers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic_ai import usage  # pants: no-infer-dep
from typing_extensions import TypedDict


class ModelSettings(TypedDict, total=False):
    """Settings of a model that do not depend on its provider; a model ignores what it lacks.

    Attributes:
        max_tokens: the most tokens that a response may have.
        temperature: how random the response is, from 0.
        top_p: the share of probable tokens that are sampled from.
        top_k: how many of the most probable tokens are sampled from.
        timeout: how many seconds a request to the model may take.
        parallel_tool_calls: whether the model may call several tools at once.
        tool_choice: whether the model has to call a tool.
        seed: makes sampling repeatable, as far as the provider does.
        presence_penalty: how much tokens that were there are avoided.
        frequency_penalty: how much tokens that were there often are avoided.
        logit_bias: by token, how much it is preferred.
        stop_sequences: what ends the response.
        thinking: whether, or how much, the model thinks first.
        service_tier: the provider's tier of service.
        cache: whether, or how long, the provider caches the prompt.
    """

    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    timeout: float
    parallel_tool_calls: bool
    tool_choice: Literal["none", "required", "auto"]
    seed: int
    presence_penalty: float
    frequency_penalty: float
    logit_bias: dict[str, int]
    stop_sequences: list[str]
    thinking: bool | Literal["minimal", "low", "medium", "high", "xhigh", "max"]
    service_tier: Literal["auto", "default", "flex", "priority"]
    cache: bool | Literal["5m", "30m", "1h", "12h"]


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """What a run may use at most; ``None`` is no limit.

    Attributes:
        cost_limit: in US dollars.
        request_limit: of responses of the model.
        tool_calls_limit: of tool calls that succeed.
        input_tokens_limit: of tokens that are sent.
        output_tokens_limit: of tokens that come back.
        total_tokens_limit: of both.
        per_request_input_tokens_limit: of tokens that are sent with one request.
        count_tokens_before_request: whether the provider counts before it answers.
    """

    cost_limit: Decimal | None = None
    request_limit: int | None = 50
    tool_calls_limit: int | None = None
    input_tokens_limit: int | None = None
    output_tokens_limit: int | None = None
    total_tokens_limit: int | None = None
    per_request_input_tokens_limit: int | None = None
    count_tokens_before_request: bool = False

    def for_agent(self) -> usage.UsageLimits:
        """The same as pydantic-ai has it."""
        given: dict[str, Any] = asdict(self)
        return usage.UsageLimits(**given)
