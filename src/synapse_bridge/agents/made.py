"""Functions that are made at run time, as introspection reads those that somebody wrote."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse_bridge import declaration
from synapse_bridge.agents.given import Given


def signed(
    function: Callable[..., Any],
    name: str,
    *,
    module: str,
    path: str,
    doc: str | None,
    parameters: Sequence[inspect.Parameter],
    result: Any,
    given: Mapping[str, Given],
    raises: tuple[type[BaseException], ...],
) -> Callable[..., Any]:
    """The function, with the name, signature and documentation that callers see.

    ``path`` leads to it from the module, and ``given`` says where it stands in the source. It
    takes its arguments by name.
    """
    made: Any = function
    made.__name__ = name
    made.__qualname__ = path
    made.__module__ = module
    made.__doc__ = doc
    made.__signature__ = inspect.Signature(parameters)
    made.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": result}
    made.__synapse_given__ = given
    return declaration.raises(*raises)(function) if raises else function
