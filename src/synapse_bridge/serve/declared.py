"""Declared exceptions: those that are part of the contract, and cross with all that they hold."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from pydantic_core import ValidationError

from synapse_bridge.declaration import declaration
from synapse_bridge.serve import exact
from synapse_bridge.serve.custom import Types
from synapse_bridge.serve.failure import Crossing, ResultMismatch, code_of
from synapse_bridge.serve.service import Method, Raised


class Declared:
    """The exceptions that a method declares; one also stands for its subclasses."""

    def __init__(self, method: Method) -> None:
        given = declaration(method.function).codes
        self._known = {
            cls: (raised, _checker(cls, raised, method.types), _code(cls, given))
            for cls, raised in method.raises.items()
        }

    def crossing(self, error: BaseException) -> Crossing | None:
        """How an exception crosses; ``None`` where it is not declared.

        Raises :class:`ResultMismatch` where its attributes do not fit their annotations.
        """
        for cls in type(error).__mro__:
            if cls in self._known:
                raised, check, code = self._known[cls]
                details = [_message(error, raised, check), *_retry(error)]
                return Crossing(code, str(error), details)
        return None


def _message(error: BaseException, raised: Raised, check: exact.Check) -> Message:
    held = {name: getattr(error, name) for name in raised.fields if hasattr(error, name)}
    try:
        check.check(held)
    except ValidationError as mismatch:
        raise ResultMismatch.of(mismatch, of="exception") from error
    return raised.message(error)


def _checker(cls: type[BaseException], raised: Raised, types: Types) -> exact.Check:
    """The check of what an exception holds, by the annotations of its class and constructors."""
    hints = typing.get_type_hints(cls, include_extras=True)
    for owner in () if dataclasses.is_dataclass(cls) else cls.__mro__:
        constructor = vars(owner).get("__init__")
        if inspect.isfunction(constructor):
            hints = typing.get_type_hints(constructor, include_extras=True) | hints
    return exact.members_checker({name: hints.get(name, Any) for name in raised.fields}, types)


def _code(cls: type[BaseException], given: Mapping[type[BaseException], str]) -> grpc.StatusCode:
    """The code given with ``@raises``, else the class's own, else the table's.

    An exception that a contract names is no accident: without any of these it is
    FAILED_PRECONDITION, where an undeclared one would be INTERNAL.
    """
    if cls in given:
        return grpc.StatusCode[given[cls]]
    found = code_of(cls)
    return grpc.StatusCode.FAILED_PRECONDITION if found is None else found


def _retry(error: BaseException) -> Iterator[RetryInfo]:
    """When to try again, where the exception says so: ``retry_after``, a timedelta or seconds."""
    after = getattr(error, "retry_after", None)
    if isinstance(after, datetime.timedelta):
        after = after.total_seconds()
    if isinstance(after, int | float) and not isinstance(after, bool) and 0 <= after < 1e9:
        delay = Duration()
        delay.FromNanoseconds(round(after * 1_000_000) * 1000)
        yield RetryInfo(retry_delay=delay)
