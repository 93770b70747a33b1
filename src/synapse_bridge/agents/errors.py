"""How a run fails: exceptions that are part of the contract.

They are made of pydantic-ai's, and tell what a program can act on. What they tell never holds a
prompt, a response or a provider's words; that is a note on the exception, which the server shows
only with ``--debug``.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from pydantic_ai import exceptions  # pants: no-infer-dep


class AgentError(Exception):
    """A run that came to no result."""


class UnexpectedModelBehavior(AgentError):
    """The model did what the agent cannot use.

    Attributes:
        detail: what that was, in the agent's words.
    """

    detail: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ToolRetriesExceeded(AgentError):
    """The model called a tool wrongly more often than it may.

    Attributes:
        tool_name: the tool.
        max_retries: how often it may be called again.
    """

    tool_name: str
    max_retries: int

    def __init__(self, tool_name: str, max_retries: int) -> None:
        super().__init__(f"the tool {tool_name!r} gave up after {max_retries} retries")
        self.tool_name = tool_name
        self.max_retries = max_retries


class UsageLimitExceeded(AgentError):
    """The run would use more than it may.

    Attributes:
        detail: which limit, and by how much.
    """

    grpc_code: ClassVar[str] = "RESOURCE_EXHAUSTED"
    detail: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ModelHTTPError(AgentError):
    """The model's provider answered with an error.

    Attributes:
        status_code: HTTP's.
        model_name: the model that was asked.
        retry_after: how many seconds to wait, where the provider says so.
    """

    status_code: int
    model_name: str
    retry_after: float | None

    def __init__(self, status_code: int, model_name: str, retry_after: float | None = None) -> None:
        super().__init__(f"the model {model_name!r} answered with HTTP status {status_code}")
        self.status_code = status_code
        self.model_name = model_name
        self.retry_after = retry_after


class ModelError(AgentError):
    """The model could not be asked, or its answer not be read.

    Attributes:
        model_name: the model that was asked; several, with commas, where others were tried.
    """

    model_name: str

    def __init__(self, model_name: str) -> None:
        super().__init__(f"the model {model_name!r} could not be asked")
        self.model_name = model_name


class RunCancelled(AgentError):
    """The agent, or one of its tools, ended the run."""

    def __init__(self) -> None:
        super().__init__("the agent ended the run")


class UnansweredToolCalls(AgentError):
    """The model called tools that wait for an answer, and there is nobody to ask.

    Attributes:
        tool_names: the tools.
    """

    tool_names: list[str]

    def __init__(self, tool_names: list[str]) -> None:
        called = ", ".join(tool_names)
        super().__init__(
            f"nobody answers for the tools {called}: give `tools` or `on_approval` with the run"
        )
        self.tool_names = tool_names


class InvalidTools(AgentError):
    """The tools that the caller brings along do not fit each other or the agent.

    Attributes:
        detail: which, and why.
    """

    grpc_code: ClassVar[str] = "INVALID_ARGUMENT"
    detail: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnexpectedAnswer(AgentError):
    """The caller answered what it was not asked.

    Attributes:
        tool_call_id: the call that it answered.
        detail: what is wrong with it.
    """

    grpc_code: ClassVar[str] = "INVALID_ARGUMENT"
    tool_call_id: str
    detail: str

    def __init__(self, tool_call_id: str, detail: str) -> None:
        super().__init__(f"the answer to {tool_call_id!r}: {detail}")
        self.tool_call_id = tool_call_id
        self.detail = detail


class AnswersEnded(AgentError):
    """The caller ended its answers while the run waits for some.

    Attributes:
        tool_call_ids: the calls that nobody answers.
    """

    tool_call_ids: list[str]

    def __init__(self, tool_call_ids: list[str]) -> None:
        waiting = ", ".join(tool_call_ids)
        super().__init__(f"the answers ended while these calls wait for one: {waiting}")
        self.tool_call_ids = tool_call_ids


class ToolRefused(AgentError):
    """A tool that was called directly did not do it.

    Attributes:
        tool_name: the tool.
        detail: what it says to whoever calls it.
    """

    tool_name: str
    detail: str

    def __init__(self, tool_name: str, detail: str) -> None:
        super().__init__(f"{tool_name}: {detail}")
        self.tool_name = tool_name
        self.detail = detail


OF_RUNS: tuple[type[AgentError], ...] = (
    UnexpectedModelBehavior,
    ToolRetriesExceeded,
    UsageLimitExceeded,
    ModelHTTPError,
    ModelError,
    RunCancelled,
    UnansweredToolCalls,
)
OF_TOOLS = (ToolRefused,)
OF_SESSIONS = (*OF_RUNS, InvalidTools, UnexpectedAnswer, AnswersEnded)

# What pydantic-ai tells by a text alone; `errors_test.py` fails where it words that differently.
_NAME = r"""('.*'|".*")"""
_RETRIES = re.compile(rf"Tool {_NAME} exceeded max retries count of (\d+)")
_CONFLICT = re.compile(rf"defines a tool whose name conflicts .*?: {_NAME}\. ")
_OUTPUT_RETRIES = re.compile(r"Exceeded maximum output retries \(\d+\)")


def translated(error: BaseException) -> AgentError | None:
    """What an exception of pydantic-ai's becomes; ``None`` for what is none."""
    found = _translated(error)
    if found is not None:
        found.add_note(f"{type(error).__qualname__}: {error}")
    return found


@contextmanager
def declared(translate: Callable[[Exception], AgentError | None]) -> Iterator[None]:
    """Raises what goes wrong in the block as the contract declares it, where it does."""
    try:
        yield
    except Exception as error:
        if (found := translate(error)) is None:
            raise
        raise found from error


def of_run(error: Exception) -> AgentError | None:
    """What an exception of a run becomes."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return translated(error)


def of_tool(name: str, error: BaseException) -> AgentError | None:
    """What an exception becomes by which a tool tells a model to do something else."""
    match error:
        case exceptions.ModelRetry() | exceptions.ToolFailed():
            return ToolRefused(name, error.message)
        case exceptions.ApprovalRequired() | exceptions.CallDeferred():
            return ToolRefused(name, "it answers only in a session")
    return translated(error)


def _translated(error: BaseException) -> AgentError | None:
    match error:
        case AgentError():
            return None
        case exceptions.ModelHTTPError():
            after = None if error.retry_after is None else float(error.retry_after)
            return ModelHTTPError(error.status_code, error.model_name, after)
        case exceptions.ModelAPIError():
            return ModelError(error.model_name)
        case exceptions.FallbackExceptionGroup():
            names = (getattr(one, "model_name", None) for one in error.exceptions)
            return ModelError(", ".join(dict.fromkeys(name for name in names if name)))
        case exceptions.UsageLimitExceeded():
            return UsageLimitExceeded(error.message.partition(". Consider")[0])
        case exceptions.RunCancelled():
            return RunCancelled()
        case exceptions.ContentFilterError():
            return UnexpectedModelBehavior("the provider's content filter stopped the response")
        case exceptions.OutputTokenLimitExceeded():
            return UnexpectedModelBehavior("the response was cut off at its limit of tokens")
        case exceptions.UnexpectedModelBehavior():
            return _unexpected(error)
        case exceptions.UserError() if found := _CONFLICT.search(str(error)):
            return InvalidTools(f"the agent has a tool {literal_eval(found[1])} already")
        case exceptions.UserError() if "DeferredToolRequests" in str(error):
            return UnansweredToolCalls([])
        case exceptions.AgentRunError():
            return UnexpectedModelBehavior(f"the run ended with {type(error).__name__}")
    return None


def _unexpected(error: exceptions.UnexpectedModelBehavior) -> AgentError:
    if found := _RETRIES.match(error.message):
        return ToolRetriesExceeded(literal_eval(found[1]), int(found[2]))
    if found := _OUTPUT_RETRIES.match(error.message):
        return UnexpectedModelBehavior(found[0])
    return UnexpectedModelBehavior("the response of the model cannot be used")
