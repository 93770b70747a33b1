"""What stands in a request and has no value in Python: found, and reported with its path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, LiteralString

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from synapse_bridge.serve.entries import Entries


class Unreadable:
    """Stands for a value on the wire that Python cannot hold exactly; ``reason`` says why.

    ``rule`` names what it breaks. It never gets to a validator, which may let anything pass:
    :func:`checked` finds it before.
    """

    __slots__ = ("errors",)

    def __init__(self, reason: str, rule: LiteralString = "unreadable") -> None:
        error = PydanticCustomError(rule, "{reason}", {"reason": reason})
        self.errors: Sequence[InitErrorDetails] = [InitErrorDetails(type=error, loc=(), input=None)]
        _HERE.made = True

    @classmethod
    def of(cls, error: ValidationError) -> Unreadable:
        """A value that does not validate as one of the configuration's annotations.

        That was the only item of a list, for a reason of pydantic's.
        """
        made = cls("")
        made.errors = [
            InitErrorDetails(
                type=PydanticCustomError(detail["type"], "{message}", {"message": detail["msg"]}),
                loc=detail["loc"][1:],
                input=None,
            )
            for detail in error.errors(include_url=False, include_input=False)
        ]
        return made


class _Thread(threading.local):
    made = False
    """Whether there was one in the request that this thread reads: a search finds where."""


_HERE = _Thread()


def found() -> bool:
    """Whether the request that is being read is refused already."""
    return _HERE.made


def checked(arguments: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """``arguments``, raising pydantic's ``ValidationError`` for what it could not read."""

    def read(message: Any) -> dict[str, Any]:
        _HERE.made = False
        values = arguments(message)
        if _HERE.made:
            _refuse(values)
        return values

    return read


def checked_items(items: Callable[[Any], Sequence[Any]]) -> Callable[[Any], Sequence[Any]]:
    """The same for the items of a stream; paths begin at the item."""

    def read(message: Any) -> Sequence[Any]:
        _HERE.made = False
        values = items(message)
        if _HERE.made:
            for value in values:
                _refuse(value)
        return values

    return read


def _refuse(value: Any) -> None:
    if errors := list(_errors(value, ())):
        raise ValidationError.from_exception_data("Arguments", errors, hide_input=True)


def _errors(value: Any, at: tuple[int | str, ...]) -> Iterator[InitErrorDetails]:
    match value:
        case Unreadable():
            for error in value.errors:
                yield InitErrorDetails(type=error["type"], loc=(*at, *error["loc"]), input=None)
        case dict():
            for key, item in value.items():
                yield from _errors(item, (*at, key if isinstance(key, int | str) else str(key)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _errors(item, (*at, index))
        case Entries():
            for key, item in value.items():
                yield from _errors(key, (*at, str(key), "[key]"))
                yield from _errors(item, (*at, str(key)))
