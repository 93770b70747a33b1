"""What a function says about itself beyond its signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from synapse_bridge.duration import milliseconds

_F = TypeVar("_F", bound=Callable[..., Any])

_ATTRIBUTE = "__synapse_bridge__"

CODES = (
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""The names of gRPC's codes for failures, by their numbers from 1."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the decorators below have noted; ``codes`` are those given for declared exceptions."""

    timeout_ms: int | None = None
    idempotent: bool = False
    raises: tuple[type[BaseException], ...] = ()
    codes: Mapping[type[BaseException], str] = field(default_factory=dict)


def declaration(function: Callable[..., Any]) -> Declaration:
    """What a function, also a bound or a decorated one, says about itself."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Declaration) else Declaration()


def method(
    *, timeout: float | str | timedelta | None = None, idempotent: bool = False
) -> Callable[[_F], _F]:
    """How calls of a function are to be made.

    ``timeout`` is the longest that a call may take, as ``5`` or ``0.5`` seconds, ``"500ms"``,
    ``"2m"`` or a ``timedelta``: clients ask for no more unless they are told to, and the server
    ends the call then. An ``idempotent`` function may be called again where it is not known
    whether a call arrived, so clients may retry it.
    """
    whole = None if timeout is None else milliseconds(timeout)

    def note(function: _F) -> _F:
        known = declaration(function)
        return _note(function, replace(known, timeout_ms=whole, idempotent=idempotent))

    return note


def raises(*exceptions: type[BaseException], code: str | None = None) -> Callable[[_F], _F]:
    """Declares exceptions: they become part of the contract, with their fields and text.

    ``code`` is the name of the gRPC code that they are sent with (``"FAILED_PRECONDITION"``);
    without, the class's own ``grpc_code`` says it, else the table of codes. Such decorators add up.
    """
    for exception in exceptions:
        if not (isinstance(exception, type) and issubclass(exception, BaseException)):
            raise TypeError(f"{exception!r} is no exception class")
    if code is not None and code not in CODES:
        raise ValueError(f"{code!r} is no gRPC code; there are {', '.join(CODES)}")

    def note(function: _F) -> _F:
        known = declaration(function)
        codes = {} if code is None else dict.fromkeys(exceptions, code)
        declared = tuple(dict.fromkeys((*exceptions, *known.raises)))
        return _note(function, replace(known, raises=declared, codes={**known.codes, **codes}))

    return note


def _note(function: _F, noted: Declaration) -> _F:
    setattr(function, _ATTRIBUTE, noted)
    return function
