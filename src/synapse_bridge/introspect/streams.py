"""Streams in signatures: which annotations are one, and where one may stand."""

from __future__ import annotations

import collections.abc as abc
import contextlib
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_bridge.hints import peel
from synapse_bridge.introspect import source
from synapse_bridge.introspect.refusal import Unsupported

_SYNC = (abc.Iterator, abc.Generator)
_ASYNC = (abc.AsyncIterator, abc.AsyncIterable, abc.AsyncGenerator)
_NOTHING = (types.NoneType, None, Any, object)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of values of one annotation."""

    item: Any
    is_async: bool


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether somebody wrote ``yield`` in it, ``async`` or not."""
    written = source.unwrap(function)
    return inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written)


def read_stream(annotation: Any, *, generator: bool = False) -> Stream | None:
    """The stream that an annotation stands for, ``None`` if for none.

    ``Iterable`` is a stream where a ``generator`` makes it, and a list everywhere else.
    """
    annotation, _ = peel(annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin not in (*_SYNC, *_ASYNC) and not (generator and origin is abc.Iterable):
        return None
    item, *others = typing.get_args(annotation) or (None,)
    if item is None:
        raise Unsupported(
            "it does not say what the items are", f"write `{origin.__name__}[…]` with their type"
        )
    if any(other not in _NOTHING for other in others):
        raise Unsupported(
            "what is sent into a generator, and what it returns in the end, cannot cross",
            f"write `{'Async' if origin in _ASYNC else ''}Iterator[…]` with the type of the items",
        )
    return Stream(item, origin in _ASYNC)


def check_result(function: Callable[..., Any], stream: Stream | None) -> None:
    """Refuse a function whose results do not come as its annotation says."""
    written = source.unwrap(function)
    if getattr(function, "__code__", None) and (
        function.__code__.co_filename == contextlib.__file__
    ):
        raise Unsupported("it is a context manager", "write a function that gives the value itself")
    if not is_generator(function):
        return
    is_async = inspect.isasyncgenfunction(written)
    if stream is None or stream.is_async != is_async:
        raise Unsupported(
            "it yields its results one by one",
            f"write `-> {'Async' if is_async else ''}Iterator[…]` with the type of one",
        )


def check_parameter(parameter: inspect.Parameter, stream: Stream, *, is_async: bool) -> None:
    """Refuse a stream that the function could not take."""
    if stream.is_async and not is_async:
        raise Unsupported("only an `async` function can read it", "write `Iterator[…]`")
    if is_async and not stream.is_async:
        raise Unsupported(
            "waiting for its items would block the event loop, and all other calls",
            "write `AsyncIterator[…]`",
        )
    if parameter.default is not parameter.empty:
        raise Unsupported("a stream has no default", "leave the default out")
