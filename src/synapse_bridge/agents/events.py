"""What a run tells while it is under way, and what a caller answers.

Each is a plain record. What depends on the agent (its output, and so the result) is made for it in
:mod:`synapse_bridge.agents.classes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue
from typing_extensions import TypeAliasType

from synapse_bridge.agents import messages

ToolArgs = TypeAliasType("ToolArgs", "dict[str, JsonValue] | str")
"""The arguments of a tool call; the text that the model wrote where that is no JSON object."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the text that the model writes."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """The next piece of what the model thinks, where its provider shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model calls a tool."""

    tool_call_id: str
    tool_name: str
    args: ToolArgs


@dataclass(frozen=True, slots=True)
class ToolReturn:
    """What a tool call came to; ``outcome`` says how it ended."""

    tool_call_id: str
    tool_name: str
    content: messages.ToolReturnContent
    outcome: Literal["success", "failed", "denied", "interrupted"]


@dataclass(frozen=True, slots=True)
class RetryPrompt:
    """The model is told to try again: by the tool of that name, or about its output."""

    tool_name: str | None
    message: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The caller is to run a tool of its own, and to answer with the same ``tool_call_id``."""

    tool_call_id: str
    tool_name: str
    args: ToolArgs


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """The caller is asked whether the agent may call this tool, which wants an approval.

    ``metadata`` is what the tool said with its question.
    """

    tool_call_id: str
    tool_name: str
    args: ToolArgs
    metadata: dict[str, JsonValue]


SHARED: tuple[Any, ...] = (
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolReturn,
    RetryPrompt,
    ToolRequest,
    ApprovalRequest,
)
"""The events that are the same for all agents."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to a :class:`ToolRequest`: what the tool returned."""

    tool_call_id: str
    content: JsonValue


@dataclass(frozen=True, slots=True)
class ToolRetry:
    """The answer to a :class:`ToolRequest`: the model shall try again, and is told why."""

    tool_call_id: str
    message: str


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """The answer to a :class:`ToolRequest`: the tool failed, and the model is told how."""

    tool_call_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Approval:
    """The answer to an :class:`ApprovalRequest`: yes, perhaps with other arguments."""

    tool_call_id: str
    override_args: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """The answer to an :class:`ApprovalRequest`: no. The model is told the ``message``."""

    tool_call_id: str
    message: str = "The tool call was denied."


Answer = TypeAliasType("Answer", ToolResult | ToolRetry | ToolFailure | Approval | Denial)
"""What a caller sends while a run is under way."""


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool of the caller's that the model may call.

    ``parameters`` is a JSON Schema of type ``object``. A ``sequential`` tool never runs beside
    another one.
    """

    name: str
    description: str
    parameters: dict[str, JsonValue]
    sequential: bool = False
