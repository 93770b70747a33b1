"""An agent as methods of a service."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError
from pydantic_ai.capabilities import HandleDeferredToolCalls  # pants: no-infer-dep

from synapse_bridge.agents import classes, definition, deps, errors, events, messages, runs
from synapse_bridge.agents import session as sessions
from synapse_bridge.agents.given import Given
from synapse_bridge.agents.made import signed
from synapse_bridge.agents.settings import ModelSettings, UsageLimits
from synapse_bridge.agents.tools import Direct
from synapse_bridge.serve import exact
from synapse_bridge.serve.failure import InvalidArguments

ROLES = ("run", "run_stream", "session", "dump_messages", "load_messages")
"""What an agent's methods do: each is an attribute of :class:`Service`."""

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
_KEYWORD = inspect.Parameter.KEYWORD_ONLY

_OPTIONS = """
    deps: What the agent's tools depend on.
    message_history: The messages before these, as runs gave them.
    model_settings: Settings of the model, for this run.
    usage_limits: What the run may use at most.
    model: The model to ask, in the place of the agent's own."""


class Service:
    """The methods of an agent, and the classes that they need.

    ``variable`` of ``module`` is where the agent stands, ``name`` what its methods begin with.
    ``deps_factory`` makes what the agent's tools depend on, and ``models`` are those that a caller
    may choose from. ``tools`` are the agent's own that callers call without it; each is an
    attribute of :attr:`tools`.

    Raises :class:`~synapse_bridge.agents.refusal.Unfit` for an agent that cannot be served.
    """

    run: Callable[..., Any]
    run_stream: Callable[..., Any]
    session: Callable[..., Any]
    dump_messages: Callable[..., Any]
    load_messages: Callable[..., Any]

    def __init__(
        self,
        agent: object,
        *,
        module: str,
        variable: str,
        name: str,
        deps_factory: Callable[..., Any] | None = None,
        models: tuple[str, ...] = (),
        tools: tuple[str, ...] = (),
    ) -> None:
        self.agent = definition.checked(agent, module, variable)
        if self.agent.name is None:
            self.agent.name = variable  # as pydantic-ai infers it
        self.module, self.variable, self.name = module, variable, name
        self.output = definition.output_type(self.agent)
        self.deps = deps.read(definition.deps_type(self.agent), deps_factory)
        self._given = _given(module, variable)
        self.classes = classes.make(module, variable, self.output, models, self._given)
        self.Result: Any = self.classes.result
        self.PartialOutput: Any = self.classes.partial_output
        self.Finished: Any = self.classes.finished
        self._fits = _checker(self.output)
        self.run = self._made_run()
        self.run_stream = self._made_run_stream()
        self.session = self._made_session()
        self.dump_messages = self._made_dump()
        self.load_messages = self._made_load()
        direct = Direct(self.agent, self.deps, variable, name)
        self.tools = SimpleNamespace(**{tool: direct.function(tool) for tool in tools})

    # The methods. Each is a function of its own, so that it can say what it takes.

    def _made_run(self) -> Callable[..., Any]:
        async def run(**given: Any) -> Any:
            with errors.declared(errors.of_run):
                async with self.deps.given(given, given["context"]) as made:
                    options = self._options(given, made, sessions.unanswered())
                    found = await self.agent.run(_prompt(given), **options)
                    return runs.result(self.classes, found)

        doc = f"""Ask {self._subject} and wait for its result.

Args:
    prompt: What the agent is asked.{_OPTIONS}

Returns:
    The output, what the run used, and its messages.
"""
        return self._signed(run, "run", self._prompt(), self.Result, doc, errors.OF_RUNS)

    def _made_run_stream(self) -> Callable[..., Any]:
        async def run_stream(**given: Any) -> AsyncIterator[Any]:
            with errors.declared(errors.of_run):
                async with self.deps.given(given, given["context"]) as made:
                    options = self._options(given, made, sessions.unanswered())
                    run = runs.Run(self.agent, self.classes, self._fits, lambda requests: None)
                    async with aclosing(run.events(_prompt(given), **options)) as told:
                        async for event in told:
                            yield event

        doc = f"""Ask {self._subject}, and tell what happens until it has its result.

Args:
    prompt: What the agent is asked.{_OPTIONS}

Returns:
    What happens; the last event has the result.
"""
        result = AsyncIterator[self.classes.event]  # type: ignore[name-defined] # known at run time
        return self._signed(run_stream, "run_stream", self._prompt(), result, doc, errors.OF_RUNS)

    def _made_session(self) -> Callable[..., Any]:
        async def session(**given: Any) -> AsyncIterator[Any]:
            asked = sessions.Session()
            with errors.declared(errors.of_run):
                async with (
                    self.deps.given(given, given["context"]) as made,
                    asked.reading(given["answers"]),
                ):
                    handler = HandleDeferredToolCalls(asked.answered)
                    options = self._options(given, made, handler)
                    own = definition.tools(self.agent)
                    options["toolsets"] = [sessions.toolset(given["tools"], own)]
                    run = runs.Run(self.agent, self.classes, self._fits, asked.expect)
                    async with aclosing(run.events(_prompt(given), **options)) as told:
                        async for event in told:
                            asked.check()
                            yield event

        doc = f"""Ask {self._subject}, which may call tools of the caller's, and ask for approvals.

Each request among the events wants an answer with its `tool_call_id`; those of one step come
together, and can be answered in any order.

Args:
    prompt: What the agent is asked.
    answers: The answers to requests.
    tools: The caller's tools.{_OPTIONS}

Returns:
    What happens; the last event has the result.
"""
        answers = AsyncIterator[events.Answer]
        parameters = [
            *self._prompt(),
            _parameter("answers", answers),
            _parameter("tools", list[events.ToolDefinition]),
        ]
        result = AsyncIterator[self.classes.event]  # type: ignore[name-defined] # known at run time
        return self._signed(session, "session", parameters, result, doc, errors.OF_SESSIONS)

    def _made_dump(self) -> Callable[..., Any]:
        async def dump_messages(**given: Any) -> str:
            with _argument("messages"):
                return messages.dump(given["messages"])

        doc = """Write messages as JSON, as pydantic-ai's `ModelMessagesTypeAdapter` does.

Args:
    messages: A history, or a part of one.

Returns:
    The JSON text.
"""
        kept = _parameter("messages", list[messages.ModelMessage])
        return self._signed(dump_messages, "dump_messages", [kept], str, doc, (), options=False)

    def _made_load(self) -> Callable[..., Any]:
        async def load_messages(**given: Any) -> list[Any]:
            with _argument("stored"):
                return messages.load(given["stored"])

        doc = """Read messages that `dump_messages`, or pydantic-ai itself, has written.

Args:
    stored: The JSON text.

Returns:
    The messages.
"""
        result = list[messages.ModelMessage]
        stored = _parameter("stored", str)
        return self._signed(
            load_messages, "load_messages", [stored], result, doc, (), options=False
        )

    # What they share

    @property
    def _subject(self) -> str:
        return f"the agent `{self.variable}`"

    def _prompt(self) -> list[inspect.Parameter]:
        return [_parameter("prompt", messages.Prompt)]

    def _signed(
        self,
        function: Callable[..., Any],
        role: str,
        parameters: list[inspect.Parameter],
        result: Any,
        doc: str,
        raised: tuple[type[BaseException], ...],
        *,
        options: bool = True,
    ) -> Callable[..., Any]:
        """The function with the signature, the name and the documentation that callers see."""
        taken = [*parameters, *(self._option_parameters() if options else ())]
        return signed(
            function,
            f"{self.name}_{role}",
            module=self.module,
            path=f"{self.variable}.{role}",
            doc=_without(doc, {"deps", "model"} - {one.name for one in taken}),
            parameters=taken,
            result=result,
            given=self._given,
            raises=raised,
        )

    def _option_parameters(self) -> list[inspect.Parameter]:
        found = [
            *self.deps.option(),
            _parameter("message_history", list[messages.ModelMessage], [], _KEYWORD),
            _parameter("model_settings", ModelSettings | None, None, _KEYWORD),
            _parameter("usage_limits", UsageLimits | None, None, _KEYWORD),
        ]
        if self.classes.model is not None:
            found.append(_parameter("model", self.classes.model | None, None, _KEYWORD))
        return [*found, deps.CONTEXT]

    def _options(
        self, given: Mapping[str, Any], made: Any, handler: HandleDeferredToolCalls[Any]
    ) -> dict[str, Any]:
        """The arguments of pydantic-ai's own methods."""
        options: dict[str, Any] = {"deps": made, "capabilities": [handler], "infer_name": False}
        if history := given.get("message_history"):
            with _argument("message_history"):
                options["message_history"] = messages.to_agent(history)
        for name in ("model", "model_settings"):
            if (value := given.get(name)) is not None:
                options[name] = value
        if (limits := given.get("usage_limits")) is not None:
            options["usage_limits"] = limits.for_agent()
        return options


def _given(module: str, variable: str) -> Mapping[str, Given]:
    """Where an agent's source says what callers see, by field or parameter."""
    lines = definition.lines(module, variable)
    found = {"": Given(lines.file, lines.line, f"agent `{variable}`", "")}
    for name, argument, otherwise in (
        ("output", "output_type", ""),
        ("deps", "deps_type", "name a `deps_factory` that makes it on the server"),
    ):
        line, written = lines.arguments.get(argument, (lines.line, ""))
        subject = f"`{argument}` of agent `{variable}`"
        found[name] = Given(lines.file, line, subject, written, otherwise)
    return found


def _parameter(
    name: str,
    annotation: Any,
    default: Any = inspect.Parameter.empty,
    kind: Any = _POSITIONAL,
) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _prompt(given: Mapping[str, Any]) -> Any:
    with _argument("prompt"):
        return messages.to_prompt(given["prompt"])


@contextmanager
def _argument(name: str) -> Iterator[None]:
    """Tells what does not validate in the block as a violation in an argument."""
    try:
        yield
    except ValidationError as error:
        raise InvalidArguments(name) from error


def _without(doc: str, names: set[str]) -> str:
    """The documentation without the parameters that there are not."""
    gone = tuple(f"    {name}: " for name in names)
    return "\n".join(line for line in doc.split("\n") if not line.startswith(gone))


def _checker(annotation: Any) -> Callable[[Any], bool]:
    """Whether a value is one of an annotation, as the server checks results."""
    made: exact.Check | None = None

    def fits(value: Any) -> bool:
        nonlocal made
        made = made or exact.checker(annotation)
        try:
            made.check(value)
        except ValidationError:
            return False
        return True

    return fits
