"""Histories survive the way there and back: what pydantic-ai stores of them is the same."""

from __future__ import annotations

import base64
import datetime
import importlib
import json
from functools import cache
from typing import Any

import pydantic_core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    ToolReturnPart,
    UserPromptPart,
)

from synapse_bridge.agents import messages
from synapse_bridge.agents.mirror import Stored
from synapse_bridge.agents.testing import bridge
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.service import Method

_WHOLE = ModelMessagesTypeAdapter.json_schema(mode="serialization")
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_MOMENTS = st.datetimes(
    datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1), timezones=st.just(datetime.UTC)
)
_MEDIA = ("image/png", "audio/wav", "application/pdf", "text/x-other")


@cache
def _defined(name: str) -> st.SearchStrategy[Any]:
    return _values(_WHOLE["$defs"][name])


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
    if key == "speaker":
        return st.just("user")  # An assistant speaks in responses only.
    if key == "media_type":
        return st.sampled_from(_MEDIA)
    if key in ("url", "identifier", "file_id"):
        return st.sampled_from(["https://example.com/a.png", "file-1"])
    return _values(schema, key)


def _histories() -> st.SearchStrategy[list[Any]]:
    return st.lists(_values(_WHOLE["items"]), max_size=2)


@cache
def _codec(name: str) -> tuple[Method, Codec]:
    bridge()
    service = importlib.import_module("desk_server").SERVICE
    (method,) = (one for one in service.methods if one.name == name)
    return method, Codec(method)


def _through_the_wire(history: list[Any]) -> list[Any]:
    """A history as bytes of protobuf, and back."""
    load, sender = _codec("SupportLoadMessages")
    dump, receiver = _codec("SupportDumpMessages")
    response = type(load.response([])).FromString(sender.response(history))
    request: Any = dump.request()
    request.messages.extend(response.result)  # type: ignore[attr-defined] # it is made for tests
    sent = receiver.request(request.SerializeToString())
    found: list[Any] = receiver.arguments(sent)["messages"]
    return found


def _sorted(stored: str | bytes) -> str:
    """The same JSON with the members of objects in order, which protobuf and the BEAM have not."""
    return json.dumps(json.loads(stored), sort_keys=True)


@given(_histories())
@settings(max_examples=30, deadline=None)
def test_random_histories_are_stored_the_same_on_the_other_side(history: list[Any]) -> None:
    # Twice, as pydantic-ai fills in what is missing when it reads.
    stored = ModelMessagesTypeAdapter.dump_json(
        ModelMessagesTypeAdapter.validate_json(pydantic_core.to_json(history))
    )
    stored = ModelMessagesTypeAdapter.dump_json(ModelMessagesTypeAdapter.validate_json(stored))
    crossed = _through_the_wire(messages.load(stored.decode()))
    assert _sorted(messages.dump(crossed)) == _sorted(stored)


@pytest.mark.parametrize("role", ["ModelRequest", "ModelResponse"])
def test_every_kind_of_part_has_a_mirror(role: str) -> None:
    parts = _WHOLE["$defs"][role]["properties"]["parts"]["items"]["oneOf"]
    names = {one["$ref"].removeprefix("#/$defs/") for one in parts}
    assert {name for name in names if issubclass(getattr(messages, name), Stored)} == names


def test_bytes_are_bytes_and_what_is_in_json_stays_json() -> None:
    picture = BinaryContent(b"\x00\xff", media_type="image/png")
    history = [
        ModelRequest([UserPromptPart(["look", picture])]),
        ModelRequest(
            [ToolReturnPart("photo", picture, "1"), ToolReturnPart("list", [1, "2"], "2")]
        ),
    ]
    asked, returned = messages.from_agent(history)
    assert asked.parts[0].content[1].data == b"\x00\xff"
    assert returned.parts[0].content.data == b"\x00\xff"
    assert returned.parts[1].content == [1, "2"]
    stored = ModelMessagesTypeAdapter.dump_json(history)
    assert messages.dump([asked, returned]) == stored.decode()


def test_what_a_caller_leaves_out_is_filled_in() -> None:
    part = messages.UserPromptPart(content="hello")
    (made,) = messages.to_agent([messages.ModelRequest(parts=[part])])
    assert isinstance(made, ModelRequest)
    assert made.parts[0].timestamp is not None


def test_what_a_provider_counts_besides_is_kept() -> None:
    stored = '[{"parts":[],"kind":"response","usage":{"input_tokens":1,"web_searches":2}}]'
    (response,) = messages.load(stored)
    assert response.usage.web_searches == 2
    (kept,) = messages.to_agent([response])
    assert isinstance(kept, ModelResponse)
    assert getattr(kept.usage, "web_searches") == 2  # noqa: B009 - it has no annotation


@pytest.mark.parametrize("content", [[], [1, {"a": None}], {"kind": "other"}, None, "text", 1.5])
def test_what_is_no_file_crosses_as_json(content: Any) -> None:
    history = messages.from_agent([ModelRequest([ToolReturnPart("any", content, "1")])])
    (request,) = _through_the_wire(history)
    assert request.parts[0].content == content
