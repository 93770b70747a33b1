"""Random histories, for tests: a Hypothesis strategy made of pydantic-ai's own JSON Schema."""

from __future__ import annotations

import base64
import datetime
from functools import cache
from typing import Any

import pydantic_core
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_ai.messages import ModelMessagesTypeAdapter  # pants: no-infer-dep

WHOLE: dict[str, Any] = ModelMessagesTypeAdapter.json_schema(mode="serialization")
"""The JSON Schema of a history as pydantic-ai stores it."""

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_MINUTES = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda n: datetime.timedelta(minutes=n))
_OFFSETS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.just(datetime.UTC), _MINUTES.map(datetime.timezone)
)
_MOMENTS = st.datetimes(
    datetime.datetime(2, 1, 1), datetime.datetime(9998, 12, 31), timezones=_OFFSETS
)
_MEDIA = ("image/png", "audio/wav", "application/pdf", "text/x-other")


@cache
def _defined(name: str) -> st.SearchStrategy[Any]:
    return _values(WHOLE["$defs"][name])


def _values(schema: dict[str, Any], key: str = "") -> st.SearchStrategy[Any]:
    """Random JSON that a part of the schema describes."""
    match schema:
        case {"$ref": ref} if ref.endswith("ToolReturnContent"):
            return _JSON | _values({"$ref": "#/$defs/BinaryContent"})
        case {"$ref": ref}:
            return _defined(ref.removeprefix("#/$defs/"))
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"anyOf": options} | {"oneOf": options}:
            return st.one_of([_values(one, key) for one in options])
        case {"type": "array", "items": items}:
            return st.lists(_values(items), max_size=2)
        case {"type": "object", "properties": members}:
            return _objects(schema, members)
        case {"type": "object", "additionalProperties": {"type": "integer"}}:
            return st.dictionaries(_TEXTS, st.integers(0, 10**9), max_size=2)
        case {"type": "object"}:
            return st.dictionaries(_TEXTS, _JSON, max_size=2)
        case {"type": "null"}:
            return st.none()
        case {"type": "string", "format": "base64url"}:
            return st.binary(max_size=8).map(_base64)
        case {"type": "string", "format": "date-time"}:
            return _MOMENTS.map(lambda moment: moment.isoformat())
        case {"type": "string", "format": "duration"}:
            return st.sampled_from(["PT1.5S", "PT0S", "P1D"])
        case {"type": "string"}:
            return st.sampled_from(["0.5", "12"]) if key == "cost" else _TEXTS
        case {"type": "integer"}:
            return st.integers(0, 10**12)
        case {"type": "number"}:
            return st.floats(0, 1e6)
        case {"type": "boolean"}:
            return st.booleans()
        case _:
            return _JSON


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _objects(schema: dict[str, Any], members: dict[str, Any]) -> st.SearchStrategy[Any]:
    # Kinds are what tells parts apart, so they are always written.
    always = {
        key: _member(key, one)
        for key, one in members.items()
        if key in schema.get("required", ()) or "const" in one
    }
    maybe = {key: _member(key, one) for key, one in members.items() if key not in always}
    return st.fixed_dictionaries(always, optional=maybe)


def _member(key: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if key == "media_type":
        return st.sampled_from(_MEDIA)
    if key in ("url", "identifier", "file_id"):
        return st.sampled_from(["https://example.com/a.png", "file-1"])
    return _values(schema, key)


def histories() -> st.SearchStrategy[list[Any]]:
    """Histories as JSON values, with all kinds of messages and parts."""
    return st.lists(_values(WHOLE["items"]).filter(_is_taken), max_size=2)


def parts(role: str) -> dict[str, st.SearchStrategy[list[Any]]]:
    """Histories of one message of a role (``ModelRequest``), by the one part that it has."""
    message = _values(WHOLE["$defs"][role])
    return {
        name: st.tuples(message, _defined(name)).map(_with_part).filter(_is_taken_whole)
        for name in part_kinds(role)
    }


def part_kinds(role: str) -> list[str]:
    """The names of the parts that a message of a role may have."""
    options = WHOLE["$defs"][role]["properties"]["parts"]["items"]["oneOf"]
    return [one["$ref"].removeprefix("#/$defs/") for one in options]


def _with_part(drawn: tuple[Any, Any]) -> list[Any]:
    message, part = drawn
    return [{**message, "parts": [part]}]


def _is_taken_whole(history: list[Any]) -> bool:
    return all(map(_is_taken, history))


def _is_taken(message: Any) -> bool:
    """Whether it fits what the schema does not say: who may speak, which parts a provider makes."""
    try:
        ModelMessagesTypeAdapter.validate_json(pydantic_core.to_json([message]))
    except ValidationError:
        return False
    return True


def stored(history: list[Any]) -> bytes:
    """The JSON in which pydantic-ai stores a history."""
    # Twice, as pydantic-ai fills in what is missing when it reads.
    first = ModelMessagesTypeAdapter.validate_json(pydantic_core.to_json(history))
    again = ModelMessagesTypeAdapter.dump_json(first)
    return ModelMessagesTypeAdapter.dump_json(ModelMessagesTypeAdapter.validate_json(again))
