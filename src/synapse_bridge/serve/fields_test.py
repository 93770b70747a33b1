"""Fields of models on the wire: by their Python names whatever their aliases, and exact."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import importable
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.failure import InvalidArguments, ResultMismatch
from synapse_bridge.serve.path import path

MODULE = """
from enum import Enum
from typing import Annotated, Literal

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Color(Enum):
    RED = "r"
    GREEN = "g"


class Inner(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    some_value: int = Field(gt=0)


class ByName(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    some_value: int = 0
    in_ner: Inner | None = None


class Model(BaseModel):
    first: str = Field(alias="firstName")
    second: int = Field(validation_alias="Second", serialization_alias="2nd", ge=0)
    third: str = Field(validation_alias=AliasChoices("town", AliasPath("address", 0)))
    fourth: int = Field(serialization_alias="first", default=1)
    inner: list[Inner] = []
    by_name: ByName = ByName()
    color: Literal[Color.RED] | int = 0


def echo(value: Model) -> Model:
    return value


class Presence(BaseModel):
    number: int = 1
    text: str | None = None
    items: list[int] = []
    made: int = Field(default_factory=lambda: 7)
    maybe: int | None = Field(default_factory=lambda: 8)


def given(value: Presence) -> dict[str, int | str | list[int] | None]:
    return value.model_dump(exclude_unset=True)


def negative() -> Annotated[int, Field(gt=0)]:
    return -1


def constructed(value: int) -> Inner:
    return Inner.model_construct(some_value=value)


def mistyped() -> list[Inner]:
    return [Inner.model_construct(some_value="secret")]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any, dict[str, Codec]]]:
    """The module, its protobuf classes, and what converts for its functions."""
    folder: Path = tmp_path_factory.mktemp("fields")
    (folder / "some_fields.py").write_text(MODULE)
    with importable(folder):
        for name, content in generate(introspect("some_fields")).items():
            if name.startswith("python/"):
                data = content.encode() if isinstance(content, str) else content
                (folder / Path(name).name).write_bytes(data)
        importlib.invalidate_caches()
        pb = importlib.import_module("some_fields_pb2")
        service = importlib.import_module("some_fields_server").SERVICE
        module = importlib.import_module("some_fields")
        yield module, pb, {one.function.__name__: Codec(one) for one in service.methods}


def violations(codec: Codec, request: Any) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        codec.arguments(request)
    errors = caught.value.__cause__.errors()  # type: ignore[union-attr] # pydantic's
    return [path(error["loc"]) for error in errors]


def test_values_cross_both_ways_under_any_alias(served: Any) -> None:
    module, pb, codecs = served
    value = module.Model(
        firstName="a",
        Second=2,
        address=["c"],
        fourth=4,
        inner=[{"someValue": 5}],
        by_name=module.ByName(some_value=6, inNer={"someValue": 7}),
        color=module.Color.RED,
    )
    sent = pb.EchoResponse.FromString(codecs["echo"].response(value)).result
    names = {field.name for field, _ in sent.ListFields()}
    assert names == {"first", "second", "third", "fourth", "inner", "by_name", "color"}
    received = codecs["echo"].arguments(pb.EchoRequest(value=sent))["value"]
    assert received == value
    assert received.color is module.Color.RED


def test_paths_of_violations_are_python_names(served: Any) -> None:
    _, pb, codecs = served
    inner = [pb.Inner(some_value=1), pb.Inner(some_value=0)]
    by_name = pb.ByName(in_ner=pb.Inner())
    request = pb.EchoRequest(value=pb.Model(second=-1, inner=inner, by_name=by_name))
    assert violations(codecs["echo"], request) == [
        "value.first",
        "value.second",
        "value.third",
        "value.inner[1].some_value",
        "value.by_name.in_ner.some_value",
    ]


@pytest.mark.parametrize(
    ("sent", "dumped"),
    [
        ({}, {"items": []}),
        ({"number": 1, "made": 0}, {"number": 1, "items": [], "made": 0}),
        ({"text": "", "items": [3]}, {"text": "", "items": [3]}),
    ],
)
def test_a_field_that_was_not_sent_is_not_set(served: Any, sent: Any, dumped: Any) -> None:
    """Lists, sets and dicts without a wrapper are set always: absent is empty there."""
    module, pb, codecs = served
    arguments = codecs["given"].arguments(pb.GivenRequest(value=pb.Presence(**sent)))
    assert module.given(**arguments) == dumped
    assert arguments["value"].made == sent.get("made", 7)


def test_a_none_that_was_sent_is_set_where_the_default_is_another(served: Any) -> None:
    module, pb, codecs = served
    request = pb.GivenRequest(value=pb.Presence())
    request.value.maybe.SetInParent()
    assert module.given(**codecs["given"].arguments(request)) == {"items": [], "maybe": None}


def test_a_result_is_held_to_its_types_and_not_to_its_constraints(served: Any) -> None:
    """Constraints are promises of callers. What the function returns arrives as it is."""
    module, pb, codecs = served
    sent = codecs["negative"].response(module.negative())
    assert pb.NegativeResponse.FromString(sent).result == -1
    sent = codecs["constructed"].response(module.constructed(-5))
    assert pb.ConstructedResponse.FromString(sent).result.some_value == -5
    with pytest.raises(ResultMismatch) as caught:
        codecs["mistyped"].response(module.mistyped())
    assert str(caught.value) == "result[0].some_value: Input should be a valid integer, got str"
