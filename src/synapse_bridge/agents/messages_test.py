"""Histories survive the way there and back: what pydantic-ai stores of them is the same."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    ToolReturnPart,
    UserPromptPart,
)

from synapse_bridge.agents import messages, strategies
from synapse_bridge.agents.mirror import Stored
from synapse_bridge.agents.testing import bridge
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.service import Method


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


@given(strategies.histories())
@settings(max_examples=30, deadline=None)
def test_random_histories_are_stored_the_same_on_the_other_side(history: list[Any]) -> None:
    stored = strategies.stored(history)
    crossed = _through_the_wire(messages.load(stored.decode()))
    assert strategies.in_order(messages.dump(crossed)) == strategies.in_order(stored)


@pytest.mark.parametrize("role", ["ModelRequest", "ModelResponse"])
def test_every_kind_of_part_has_a_mirror(role: str) -> None:
    parts = strategies.WHOLE["$defs"][role]["properties"]["parts"]["items"]["oneOf"]
    names = {one["$ref"].removeprefix("#/$defs/") for one in parts}
    assert {name for name in names if issubclass(getattr(messages, name), Stored)} == names


def test_bytes_are_bytes_and_what_is_in_json_stays_json() -> None:
    picture = BinaryContent(b"\x00\xff", media_type="image/png")
    history: list[ModelMessage] = [
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
    assert isinstance(made.parts[0], UserPromptPart)
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
