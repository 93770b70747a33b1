"""What the fields of a message cannot say: the order of the keys of JSON, and the offsets of times.

It is told as JSON of its own: by JSON pointer, the keys of an object in their order, or a time as
it was written. That much can be put back, and nothing else: keys that an object does not have, and
other moments, count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

import pydantic_core


def lost(said: Any, restored: Any) -> str | None:
    """What makes JSON that has come back what was said; ``None`` where nothing is to be done."""
    found = dict(_lost("", said, restored))
    return pydantic_core.to_json(found).decode() if found else None


def _lost(at: str, said: Any, restored: Any) -> Iterator[tuple[str, Any]]:
    match said, restored:
        case dict(), dict():
            if list(said) != list(restored):
                yield at, list(said)
            for key in said:
                yield from _lost(_below(at, key), said[key], restored.get(key))
        case list(), list():
            for index, (one, other) in enumerate(zip(said, restored, strict=False)):
                yield from _lost(_below(at, index), one, other)
        case str(), str() if said != restored:
            yield at, said


def found_again(text: str, restored: Any) -> Any:
    """JSON that has come back, with what a text tells of it."""
    try:
        told = pydantic_core.from_json(text)
    except ValueError:
        return restored
    return _found("", told, restored) if isinstance(told, dict) else restored


def _found(at: str, told: Mapping[str, Any], value: Any) -> Any:
    known = told.get(at)
    match value:
        case dict():
            keys: Iterable[str] = value
            if _are_keys(known, value):
                keys = known
            return {key: _found(_below(at, key), told, value[key]) for key in keys}
        case list():
            return [_found(_below(at, index), told, one) for index, one in enumerate(value)]
        case str() if isinstance(known, str) and _is_same_moment(known, value):
            return known
    return value


def _below(at: str, key: str | int) -> str:
    escaped = key.replace("~", "~0").replace("/", "~1") if isinstance(key, str) else key
    return f"{at}/{escaped}"


def _are_keys(known: Any, value: Mapping[str, Any]) -> TypeGuard[list[str]]:
    return (
        isinstance(known, list)
        and len(known) == len(value)
        and all(isinstance(key, str) for key in known)
        and set(known) == value.keys()
    )


def _is_same_moment(known: str, value: str) -> bool:
    if not value.endswith("Z"):  # as pydantic-ai writes the times that have come back
        return False
    try:
        one, other = datetime.fromisoformat(known), datetime.fromisoformat(value)
    except ValueError:
        return False
    return (one if one.tzinfo else one.replace(tzinfo=UTC)) == other
