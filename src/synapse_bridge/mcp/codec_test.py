"""JSON for every row of the type table, at each place where a type can stand, and back."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, TypeAdapter

from synapse_bridge.contract import Contract
from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import importable
from synapse_bridge.introspect import introspect
from synapse_bridge.mcp.codec import JSONCodec
from synapse_bridge.mcp.tools import Tool, tools
from synapse_bridge.serve.failure import InvalidArguments, ResultMismatch
from synapse_bridge.serve.service import Method

TESTDATA = Path(__file__).parents[1] / "serve" / "testdata"

NOT_IN_JSON = {"secret_string", "secret_bytes", "tensor"}
NOT_AS_PYDANTIC = {
    *("bytes", "bytearray", "root", "union"),  # in base64
    "literal",  # of bytes, which are Latin-1
    "timedelta",  # has no years
    "named_tuple",  # is an object
    "subclasses",  # have a key that tells them apart
    "by_schema",  # is of a class that only its own schema knows
}


@dataclass
class Rows:
    """The module with the functions, and their tools."""

    module: Any
    contract: Contract
    methods: dict[str, Method]
    tools: dict[str, Tool]

    def codec(self, name: str) -> JSONCodec:
        """The codec of a function."""
        return JSONCodec(self.methods[name], self.contract, self.tools[name].method)

    def given(self, name: str) -> Any:
        """What JSON has for the model of a row, with those of its values that JSON has."""
        return json.loads(self.codec(f"give_{name}").response(self.filled(name)))

    def filled(self, name: str) -> Any:
        """The model of a row; with values that JSON has, where it does not have all."""
        row = self.module.filled(name)
        return _of_json(row, anything=name == "any") if name in ("any", "double") else row


def _of_json(value: Any, *, anything: bool) -> Any:
    """The value with others in the place of those that JSON does not have."""
    match value:
        case BaseModel():
            held = {
                name: _of_json(getattr(value, name), anything=anything)
                for name in type(value).model_fields
            }
            return value.model_copy(update=held)
        case list():
            return [_of_json(one, anything=anything) for one in value]
        case dict():
            return {key: _of_json(one, anything=anything) for key, one in value.items()}
        case float() if not math.isfinite(value):
            return 0.5
        case bytes() if anything:
            return None
        case _:
            return value


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    folder = tmp_path_factory.mktemp("rows")
    with importable(TESTDATA, folder):
        contract = introspect("rows")
        for path, content in generate(contract).items():
            if path.startswith("python/"):
                data = content.encode() if isinstance(content, str) else content
                (folder / Path(path).name).write_bytes(data)
        module = importlib.import_module("rows")
        service = importlib.import_module("rows_server").SERVICE
        methods = {method.function.__name__: method for method in service.methods}
        yield Rows(module, contract, methods, {one.name: one for one in tools(contract)[0]})


def test_every_value_comes_back_from_every_place(rows: Rows) -> None:
    for name in rows.module.ROWS.keys() - NOT_IN_JSON:
        given = rows.given(name)
        request = {"row": given}
        arguments = rows.codec(f"echo_{name}").arguments(request)
        seen = rows.module.seen
        assert seen(arguments["row"]) == seen(rows.filled(name)), name
        _fits(given, rows.tools[f"give_{name}"].output)
        _fits(request, rows.tools[f"echo_{name}"].input)


def test_texts_are_those_of_pydantic(rows: Rows) -> None:
    for name in rows.module.ROWS.keys() - NOT_IN_JSON - NOT_AS_PYDANTIC:
        row = rows.filled(name)
        for place in ("required", "items", "entries", "maybe"):
            held = getattr(row, place)
            by_pydantic = TypeAdapter(Any).dump_python(held, mode="json")
            assert rows.given(name)[place] == by_pydantic, (name, place)


def test_what_json_does_not_have_is_no_tool(rows: Rows) -> None:
    made = {name.removeprefix("give_") for name in rows.tools if name.startswith("give_")}
    assert made == rows.module.ROWS.keys() - NOT_IN_JSON


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("double", float("nan"), "result: JSON has no nan"),
        ("double", float("-inf"), "result: JSON has no -inf"),
        ("any", {"a": [1, float("inf")]}, "result.a[1]: JSON has no inf"),
        ("any", [b""], "result[0]: JSON has no bytes"),
        pytest.param("any", 10**5000, "result: An integer of more than 4300 digits", id="any"),
        pytest.param("bigint", 10**5000, "result: An integer of more than", id="bigint"),
    ],
)
def test_results_that_json_does_not_have_are_refused(
    rows: Rows, name: str, value: Any, reason: str
) -> None:
    with pytest.raises(ResultMismatch) as refused:
        rows.codec(f"echo_{name}").response(value)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bool", 1),
        ("int64", True),
        ("int64", "5"),
        ("int64", 0.5),
        ("int64", 1e17),
        ("int64", 2**63),
        ("uint64", -1),
        ("double", 2**53 + 1),
        pytest.param("double", 10**400, id="10**400"),
        ("double", "1"),
        ("decimal", 1.5),
        ("string", "\ud800"),
        ("bytes", "ä"),
        ("bytes", "a"),
        ("datetime", "2024-05-01T12:30:00"),
        ("datetime", "2024-05-01"),
        ("datetime", "1714560000"),
        ("datetime", "2024-05-01T12:30:00.1234567Z"),
        ("datetime", "0001-01-01T00:00:00+01:00"),
        ("naive_datetime", "2024-05-01T12:30:00Z"),
        ("date", "2024-02-30"),
        ("date", "2024-05-01T00:00:00"),
        ("time", "24:00:00"),
        ("time", "12:30:00Z"),
        ("timedelta", "P1Y"),
        ("timedelta", "P"),
        ("timedelta", "P1DT"),
        ("timedelta", "PT0.0000001S"),
        ("timedelta", 5),
        ("uuid", "nothing"),
        ("any", "\udfff"),
    ],
)
def test_arguments_are_not_coerced(rows: Rows, name: str, value: Any) -> None:
    with pytest.raises(InvalidArguments) as refused:
        rows.codec(f"echo_{name}").arguments({"row": rows.given(name), "value": value})
    error: Any = refused.value.__cause__
    assert [one["loc"][0] for one in error.errors()] == ["value"]


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("int64", 5.0, 5),
        ("double", 5, 5.0),
        ("bytes", "_w", None),
        ("bytes", "_w==", b"\xff"),
        ("bytes", "/w==", b"\xff"),
    ],
)
def test_what_json_writes_in_several_ways_is_read(
    rows: Rows, name: str, value: Any, read: Any
) -> None:
    codec = rows.codec(f"echo_{name}")
    if read is None:
        with pytest.raises(InvalidArguments):
            codec.arguments({"row": rows.given(name), "value": value})
        return
    got = codec.arguments({"row": rows.given(name), "value": value})["value"]
    assert (got, type(got)) == (read, type(read))


def _fits(value: Any, schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(value)
