"""Validation of requests: one pydantic validator for all parameters of a function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Set,
)
from typing import TYPE_CHECKING, Any, NotRequired, Required

from pydantic import ConfigDict, PydanticUserError, TypeAdapter
from pydantic_core import CoreConfig, SchemaValidator
from typing_extensions import TypedDict
from typing_inspection import typing_objects

from synapse_bridge.serve.members import obedient

if TYPE_CHECKING:
    from synapse_bridge.serve.service import Method

# Introspection has refused all classes that the bridge does not know.
_CONFIG = ConfigDict(arbitrary_types_allowed=True)


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The resolved annotations of a function, method or callable object, ``Annotated`` kept."""
    annotated = function if inspect.isroutine(function) else type(function).__call__
    return typing.get_type_hints(annotated, include_extras=True)


def result(method: Method) -> Any:
    """The annotation of what a method returns, or the custom type that stands for it."""
    own = hints(method.function).get("return", Any)
    return method.annotations.get("return", own)


def validator(
    function: Callable[..., Any],
    apart: Set[str] = frozenset(),
    validated: Collection[str] = (),
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The check of a dict of arguments by name; returns them validated, models built.

    The parameters in ``apart`` are not among them.

    An argument that is absent stays absent where the parameter has a default, so that the function
    applies its own. Raises pydantic's ``ValidationError`` with every violation at once.

    Models are read by field name, whatever their aliases, because that is how the wire names
    fields. The lax mode is the exact one here: the wire's types follow from the annotations, so
    that values arrive as what they are, and all that strict mode would add is to refuse the
    dicts and members that stand for the instances a Python caller would have passed.

    The arguments in ``validated`` are so already, by an annotation of the configuration.
    """
    annotations = hints(function) | dict.fromkeys(validated, Any)
    signature = inspect.signature(function).parameters.values()
    parameters = [parameter for parameter in signature if parameter.name not in apart]
    if not parameters:
        return lambda arguments: arguments
    fields = {
        p.name: Required[hint] if p.default is p.empty else NotRequired[hint]
        for p in parameters
        for hint in [_unique(annotations.get(p.name, Any))]
    }
    typed = TypedDict("Arguments", fields)  # type: ignore[misc] # known at run time only
    typed.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    return _validator(TypeAdapter(typed))


def _unique(annotation: Any) -> Any:
    """The annotation, equal to no other.

    ``typing`` keeps what it has made for equal arguments, and unions are equal in any order: for
    ``Required[float | int]`` it may give ``Required[int | float]``.
    """
    return typing.Annotated[annotation, object()]


def item(stream: Any) -> Any:
    """The annotation of an item, by that of its stream: ``int`` of ``Iterator[int]``."""
    while not typing.get_args(stream) and typing_objects.is_typealiastype(stream):
        stream = stream.__value__
    if typing_objects.is_annotated(typing.get_origin(stream)):
        return item(stream.__origin__)
    return next(iter(typing.get_args(stream)), Any)


def gives_async_stream(function: Callable[..., Any]) -> bool:
    """Whether a function gives its results to ``async for``."""
    if inspect.isasyncgenfunction(function):
        return True
    annotation: Any = hints(function).get("return")
    while typing_objects.is_annotated(typing.get_origin(annotation)):
        annotation = annotation.__origin__
    return typing.get_origin(annotation) in (AsyncIterator, AsyncIterable, AsyncGenerator)


def item_validator(stream: Any) -> Callable[[Any], Any]:
    """The check of an item of a stream, as :func:`validator` does it for arguments."""
    adapter: TypeAdapter[Any]
    try:
        adapter = TypeAdapter(item(stream), config=_CONFIG)
    except PydanticUserError:
        adapter = TypeAdapter(item(stream))  # a class, which has its own
    return _validator(adapter)


def _validator(adapter: TypeAdapter[Any]) -> Callable[[Any], Any]:
    # Whether errors tell inputs is decided at the root; a model's own configuration is below it.
    config: CoreConfig = {"hide_input_in_errors": True}
    if (schema := obedient(adapter.core_schema)) is None:
        root = SchemaValidator(adapter.core_schema, config)
    else:
        # Validators that models have built before would not be the ones of this schema.
        root = SchemaValidator(schema, config, _use_prebuilt=False)
    check: Callable[..., Any] = root.validate_python

    def validate(value: Any) -> Any:
        return check(value, strict=False, by_alias=False, by_name=True)

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
