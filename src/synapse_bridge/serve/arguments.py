"""Validation of requests: one pydantic validator for all parameters of a function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, NotRequired, Required

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

# Introspection has refused all classes that the bridge does not know. What a request holds may be
# secret, and errors get into logs.
_CONFIG = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True)


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The resolved annotations of a function, method or callable object, ``Annotated`` kept."""
    annotated = function if inspect.isroutine(function) else type(function).__call__
    return typing.get_type_hints(annotated, include_extras=True)


def validator(function: Callable[..., Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The check of a dict of arguments by name; returns them validated, models built.

    An argument that is absent stays absent where the parameter has a default, so that the function
    applies its own. Raises pydantic's ``ValidationError`` with every violation at once.

    Models are read by field name, whatever their aliases, because that is how the wire names
    fields. The lax mode is the exact one here: the wire's types follow from the annotations, so
    that values arrive as what they are, and all that strict mode would add is to refuse the
    dicts and members that stand for the instances a Python caller would have passed.
    """
    annotations = hints(function)  # a parameter without one has its type from the configuration
    parameters = inspect.signature(function).parameters.values()
    if not parameters:
        return lambda arguments: arguments
    fields = {
        p.name: Required[annotations.get(p.name, Any)]
        if p.default is p.empty
        else NotRequired[annotations.get(p.name, Any)]
        for p in parameters
    }
    typed = TypedDict("Arguments", fields)  # type: ignore[misc] # known at run time only
    typed.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    adapter: TypeAdapter[Any] = TypeAdapter(typed)
    check: Callable[..., dict[str, Any]] = adapter.validator.validate_python

    def validate(arguments: dict[str, Any]) -> dict[str, Any]:
        return check(arguments, strict=False, by_alias=False, by_name=True)

    return validate


def caller(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    """Calls a function with arguments by name, positional-only ones by position."""
    parameters = inspect.signature(function).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_ONLY]
    if not positional:
        return lambda arguments: function(**arguments)

    def call(arguments: dict[str, Any]) -> Any:
        passed = [arguments.pop(p.name, p.default) for p in positional]
        return function(*passed, **arguments)

    return call
