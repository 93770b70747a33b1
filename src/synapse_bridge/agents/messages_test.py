"""Histories survive the way there and back: what pydantic-ai stores of them is the same."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
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
    assert messages.dump(crossed) == stored.decode()


_KINDS = [
    (role, name)
    for role in ("ModelRequest", "ModelResponse")
    for name in strategies.part_kinds(role)
]


@pytest.mark.parametrize(("role", "name"), _KINDS)
def test_every_kind_of_part_is_stored_the_same_on_the_other_side(role: str, name: str) -> None:
    assert issubclass(getattr(messages, name), Stored)

    @given(strategies.parts(role)[name])
    @settings(max_examples=5, deadline=None)
    def crosses(history: list[Any]) -> None:
        stored = strategies.stored(history)
        crossed = _through_the_wire(messages.load(stored.decode()))
        assert messages.dump(crossed) == stored.decode()

    crosses()


ORDERED = """[{"parts":[{"tool_name":"find","args":{"b":1,"a":{"d":[],"c":"\u00e9"}},\
"tool_call_id":"1","id":null,"provider_name":null,"provider_details":null,"part_kind":"tool-call"}],\
"timestamp":"2026-01-02T03:04:05.000006+07:00","kind":"response"}]"""


def _stored(text: str) -> str:
    """The text as pydantic-ai writes it."""
    read = ModelMessagesTypeAdapter.validate_json(text)
    return ModelMessagesTypeAdapter.dump_json(read).decode()


@pytest.mark.parametrize(
    "part", ['"args":{"a":1,"b":{"c":0,"d":[]}}', '"args":"{}"', '"args":null']
)
def test_a_message_whose_fields_say_it_all_has_nothing_besides(part: str) -> None:
    stored = _stored(
        f'[{{"parts":[{{"tool_name":"find",{part},"tool_call_id":"1","part_kind":"tool-call"}}],'
        '"timestamp":"2026-01-02T03:04:05Z","kind":"response"}]'
    )
    found = messages.load(stored)
    assert found[0].exact is None
    assert messages.dump(_through_the_wire(found)) == stored


def test_an_order_of_keys_and_an_offset_come_back() -> None:
    stored = _stored(ORDERED)
    assert '{"b":1,"a":{"d":[],"c"' in stored
    assert "+07:00" in stored
    (found,) = _through_the_wire(messages.load(stored))
    assert found.parts[0].args == {"a": {"c": "é", "d": []}, "b": 1}
    assert found.timestamp == datetime(2026, 1, 1, 20, 4, 5, 6, UTC)
    assert messages.dump([found]) == stored


def test_what_has_been_changed_counts_whatever_it_was() -> None:
    (found,) = messages.load(_stored(ORDERED))
    found.parts[0].args["b"] = 2
    assert '"args":{"b":2,"a":{"d":[],"c":"é"}}' in messages.dump([found])
    found.parts[0].args["new"] = 3
    found.timestamp += timedelta(seconds=1)
    changed = messages.dump([found])
    assert '"args":{"a":{"d":[],"c":"é"},"b":2,"new":3}' in changed
    assert '"2026-01-01T20:04:06.000006Z"' in changed
    del found.parts[0]
    assert "find" not in messages.dump([found])


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"": ["parts"]}',
        '{"/parts/0/args": ["b"]}',
        '{"/parts/0/args": ["b", "b"]}',
        '{"/parts/0/args": ["b", 1]}',
        '{"/parts/0/args": {"b": 2, "a": 1}}',
        '{"/parts/0/args": "b"}',
        '{"/parts/0/args/b": 2}',
        '{"/parts/0/tool_name": "hide"}',
        '{"/parts/1": []}',
        '{"/timestamp": "2026-01-02T03:04:06.000006+07:00"}',
        '{"/timestamp": "now"}',
    ],
)
def test_nothing_else_can_be_said_besides(told: str) -> None:
    (found,) = messages.load(_stored(ORDERED))
    (plain,) = messages.load(_stored(ORDERED))
    found.exact, plain.exact = told, None
    assert messages.dump([found]) == messages.dump([plain])


def test_keys_may_be_any_text() -> None:
    keys = '"/": {"~1": 1, "": 2}, "~": [{"b/": 1, "a~": 2}], "": 3'
    stored = _stored(ORDERED.replace('"b":1', keys))
    (found,) = _through_the_wire(messages.load(stored))
    assert messages.dump([found]) == stored


def test_a_time_without_an_offset_is_kept() -> None:
    stored = _stored(ORDERED.replace("+07:00", ""))
    (found,) = messages.load(stored)
    assert found.timestamp.tzinfo is not None
    assert messages.dump(_through_the_wire([found])) == stored


def test_files_inside_of_lists_are_files_for_the_agent() -> None:
    picture = BinaryContent(b"\x00\xff", media_type="image/png")
    content = ["look", {"at": [picture]}, picture]
    history: list[ModelMessage] = [ModelRequest([ToolReturnPart("photos", content, "1")])]
    (crossed,) = _through_the_wire(messages.from_agent(history))
    assert crossed.parts[0].content[2]["kind"] == "binary"
    again: Any
    (again,) = messages.to_agent([crossed])
    stored = ModelMessagesTypeAdapter.dump_json(history)
    assert [again] == ModelMessagesTypeAdapter.validate_json(stored)
    assert again.parts[0].content[1]["at"][0].data == picture.data
    assert ModelMessagesTypeAdapter.dump_json([again]) == stored


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
