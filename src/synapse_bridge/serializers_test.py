"""What serializers of a model's fields make is what travels, of the type that they say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import (
    Base64Bytes,
    Base64Str,
    BaseModel,
    PlainSerializer,
    WrapSerializer,
    field_serializer,
    model_serializer,
)
from pydantic_core import ValidationError

from synapse_bridge.serializers import serialized, serializers
from synapse_bridge.serve.exact import checker

Stamp = Annotated[
    datetime | None,
    PlainSerializer(datetime.isoformat, return_type=str, when_used="unless-none"),
]


class Sample(BaseModel):
    ratio: Annotated[float, PlainSerializer(lambda value: round(value, 1))] = 0.25
    at: Annotated[
        datetime | None,
        PlainSerializer(datetime.isoformat, return_type=str, when_used="unless-none"),
    ] = None
    plain: int = 1
    for_json: Annotated[int, PlainSerializer(str, when_used="json")] = 0
    name: str = "name"
    both: str = "both"

    @field_serializer("name", "both")
    def first(self, text: str) -> str:
        return text[0]


class Whole(BaseModel):
    ratio: Annotated[float, PlainSerializer(lambda value: round(value, 1))] = 0.25

    @model_serializer(mode="wrap")
    def trimmed(self, handler: Any) -> dict[str, Any]:
        return {}


def test_what_serializers_say_that_they_return() -> None:
    found = {name: one.returns for name, one in serializers(Sample).items()}
    assert found == {"ratio": None, "at": str, "name": str, "both": str}
    assert serializers(Sample)["at"].hint == str | None


def test_that_of_a_whole_model_is_for_dumps() -> None:
    assert serializers(Whole) == {}


def test_a_serializer_runs() -> None:
    sample = Sample(at=datetime(2024, 5, 1, tzinfo=UTC))
    assert serialized(sample, "ratio") == 0.2
    assert serialized(sample, "at") == "2024-05-01T00:00:00+00:00"
    assert serialized(Sample(), "at") is None
    assert serialized(sample, "name") == "n"


def test_what_it_makes_is_held_to_its_type() -> None:
    class Wrong(BaseModel):
        number: Annotated[int, PlainSerializer(lambda value: str(value))] = 1
        said: Annotated[int, WrapSerializer(lambda value, handler: value, return_type=str)] = 1

    checker(Sample).check(Sample())
    with pytest.raises(ValidationError) as caught:
        checker(Wrong).check(Wrong())
    assert [error["loc"] for error in caught.value.errors()] == [("number",), ("said",)]


class Encoded(BaseModel):
    text: Base64Str
    data: Base64Bytes


def test_what_is_decoded_on_the_way_in_is_encoded_on_the_way_out() -> None:
    value = Encoded.model_validate({"text": "aGVsbG8=", "data": b"aGVsbG8="})
    assert (value.text, value.data) == ("hello", b"hello")
    checker(Encoded).check(value)
    sent = {name: serialized(value, name) for name in ("text", "data")}
    assert Encoded.model_validate(sent) == value


class Wrapped(BaseModel):
    maybe: Base64Str | None
    by_name: dict[str, list[Base64Bytes | None]]


class WithOthers(BaseModel):
    either: Base64Str | datetime


def test_what_is_encoded_within_a_container_is_so_too() -> None:
    found = {name: one.returns for name, one in serializers(Wrapped).items()}
    assert found == {"maybe": str | None, "by_name": dict[str, list[bytes | None]]}
    value = Wrapped.model_validate({"maybe": "aGVsbG8=", "by_name": {"a": [b"aGVsbG8=", None]}})
    assert value.by_name == {"a": [b"hello", None]}
    checker(Wrapped).check(value)
    assert Wrapped.model_validate({name: serialized(value, name) for name in found}) == value
    assert serializers(WithOthers) == {}, "a dump would make another thing of what stands beside it"
