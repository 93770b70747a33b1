"""The classes that are made for one agent: what its runs come to, and tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Literal

from synapse_bridge.agents import events, messages
from synapse_bridge.agents.alias import alias


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of an agent; ``event`` is an alias of all that a run tells."""

    result: Any
    partial_output: Any
    finished: Any
    event: Any
    model: Any | None

    def named(self) -> tuple[Any, ...]:
        """Those that stand under a name of the agent's."""
        found = (self.result, self.partial_output, self.finished, self.event, self.model)
        return tuple(one for one in found if one is not None)


def make(
    module: str, variable: str, output: Any, models: tuple[str, ...], given: Any = None
) -> Classes:
    """The classes of the agent that a module's variable holds."""
    result = _record(
        module,
        f"{variable}.Result",
        {
            "output": output,
            "usage": messages.RunUsage,
            "new_messages": list[messages.ModelMessage],
            "run_id": str,
        },
        "What a run came to, what it used, and the messages that it adds to the history.",
    )
    partial = _record(
        module,
        f"{variable}.PartialOutput",
        {"output": output},
        "The output as far as the model has written it; it fits its type already.",
    )
    finished = _record(
        module, f"{variable}.Finished", {"result": result}, "The last event of a run."
    )
    members = (*events.SHARED, partial, finished)
    for one in (result, partial, finished):
        one.__synapse_given__ = given  # for errors: there is no source of these classes
    event = alias(module, f"{variable}.Event", reduce(or_, members))
    model = alias(module, f"{variable}.Model", Literal[models]) if models else None
    return Classes(result, partial, finished, event, model)


def _record(module: str, name: str, fields: Mapping[str, Any], doc: str) -> Any:
    made = dataclasses.make_dataclass(
        name.rpartition(".")[2],
        list(fields.items()),
        namespace={"__doc__": doc},
        frozen=True,
        slots=True,
    )
    made.__module__ = module
    made.__qualname__ = name
    return made
