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
from functools import partial
from typing import TYPE_CHECKING, Any, NotRequired, Required

from pydantic import ConfigDict, PydanticUserError, TypeAdapter
from pydantic_core import CoreConfig, SchemaValidator
from typing_extensions import TypedDict
from typing_inspection import typing_objects

from synapse_bridge.serve.members import obedient
from synapse_bridge.serve.trusted import trusting

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
    *,
    as_sent: bool = False,
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The check of a dict of arguments by name; returns them validated, models built.

    The parameters in ``apart`` are not among them.

    An argument that is absent stays absent where the parameter has a default, so that the function
    applies its own. Raises pydantic's ``ValidationError`` with every violation at once.

    Models are read by field name, whatever their aliases, because that is how the wire names
    fields. The lax mode is the exact one here: the wire's types follow from the annotations, so
    that values arrive as what they are, and all that strict mode would add is to refuse the
    dicts and members that stand for the instances a Python caller would have passed.

    The arguments in ``validated`` are so already, by an annotation of the configuration. With
    ``as_sent`` all others are what the wire held, untouched by converters of the service.
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
    return _validator(TypeAdapter(typed), as_sent)


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


def item_validator(stream: Any, *, as_sent: bool = False) -> Callable[[Any], Any]:
    """The check of an item of a stream, as :func:`validator` does it for arguments."""
    adapter: TypeAdapter[Any]
    try:
        adapter = TypeAdapter(item(stream), config=_CONFIG)
    except PydanticUserError:
        adapter = TypeAdapter(item(stream))  # a class, which has its own
    return _validator(adapter, as_sent)


def _validator(adapter: TypeAdapter[Any], as_sent: bool) -> Callable[[Any], Any]:
    # Whether errors tell inputs is decided at the root; a model's own configuration is below it.
    config: CoreConfig = {"hide_input_in_errors": True}
    schema = obedient(adapter.core_schema) or adapter.core_schema
    if as_sent:
        schema = trusting(schema)
    if schema is adapter.core_schema:
        root = SchemaValidator(adapter.core_schema, config)
    else:
        # Validators that models have built before would not be the ones of this schema.
        root = SchemaValidator(schema, config, _use_prebuilt=False)
    if not _says_how_to_read(adapter.core_schema):
        return root.validate_python
    return partial(root.validate_python, strict=False, by_alias=False, by_name=True)


def _says_how_to_read(schema: Any) -> bool:
    """Whether there is an alias, a strict type or a setting for these anywhere in a schema.

    Where there is none, all values are read in the lax mode and by the names of the fields; to ask
    for it takes pydantic a fifth of a small request's validation.
    """
    match schema:
        case dict():
            return not _READING.isdisjoint(schema) or any(map(_says_how_to_read, schema.values()))
        case list() | tuple():
            return any(map(_says_how_to_read, schema))
    return False


_READING = frozenset(
    {
        "alias",
        "validation_alias",
        "populate_by_name",
        "validate_by_alias",
        "validate_by_name",
        "strict",
    }
)


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
