"""Each row of the type table, at each place where a type can stand: to the wire, and back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_bridge.contract.registry import ROWS, row
from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import importable
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.service import Method

TESTDATA = Path(__file__).parent / "testdata"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, Method]]]:
    """The module, and the methods of its generated server by their functions' names."""
    folder = tmp_path_factory.mktemp("rows")
    with importable(TESTDATA, folder):
        for path, content in generate(introspect("rows")).items():
            if path.startswith("python/"):
                data = content.encode() if isinstance(content, str) else content
                (folder / Path(path).name).write_bytes(data)
        module = importlib.import_module("rows")
        service = importlib.import_module("rows_server").SERVICE
        yield module, {method.function.__name__: method for method in service.methods}


def test_every_value_comes_back_from_every_place(rows: tuple[Any, dict[str, Method]]) -> None:
    module, methods = rows
    for name in module.ROWS:
        give, echo = methods[f"give_{name}"], methods[f"echo_{name}"]
        sent = module.filled(name)
        given = give.response(sent)
        Codec(give).response(sent)  # which checks that it is of its type
        request: Any = echo.request()
        request.row.MergeFrom(given.result)  # type: ignore[attr-defined] # each has a result
        codec = Codec(echo)
        arguments = codec.arguments(codec.request(request.SerializeToString()))
        assert module.seen(arguments["row"]) == module.seen(sent), name


def test_every_value_fits_as_a_result(rows: tuple[Any, dict[str, Method]]) -> None:
    module, methods = rows
    for name, (_, values) in module.ROWS.items():
        codec = Codec(methods[f"echo_{name}"])
        sent = [codec.response(value) for value in values]
        assert len(set(sent)) == len(values), f"{name}: two values are one on the wire"


def test_no_row_is_left_out() -> None:
    with importable(TESTDATA):
        contract = introspect("rows")
    parameters = [field for message in contract.messages for field in message.fields]
    kinds = {id(row(field.type)) for field in parameters}
    # A wrapper is no type of a field: it is made where a type stands in a list of lists, say.
    assert [kind for kind, one in ROWS.items() if id(one) not in kinds] == ["wrapped"]
