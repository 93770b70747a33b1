"""Which unions need a key that tells their models apart."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_bridge.generate.testing import CASES
from synapse_bridge.mcp.reading import Reader
from synapse_bridge.mcp.scalars import Unfit
from synapse_bridge.mcp.unions import Unions
from synapse_bridge.mcp.writing import Writer
from synapse_bridge.v1 import types_pb2


@pytest.mark.parametrize(
    ("case", "union", "told"),
    [
        ("unions", "unions.Holder.payment", ("kind", ["card", "gold_card"])),
        ("unions", "unions.Form", ("kind", ["circle", "square"])),
        ("unions", "unions.Pet", None),  # has a discriminator
        ("unions", "unions.Holder.nested", None),  # has literals
        ("unions", "unions.Holder.number", None),  # has no models
    ],
)
def test_models_are_told_apart(case: str, union: str, told: Any) -> None:
    contract = CASES[case].contract()
    tags = Unions(contract).tags(contract.union(union))
    assert (tags and (tags.key, [*tags.members])) == told


class _Message:
    """What protobuf would have, as far as a writer looks."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__ |= fields

    def HasField(self, name: str) -> bool:
        return name in self.__dict__

    def WhichOneof(self, name: str) -> str:
        (sent,) = self.__dict__
        return sent


def test_a_model_comes_back_as_the_one_that_it_was() -> None:
    contract = CASES["unions"].contract()
    sent = _Message(card=_Message(number="1"))
    written = Writer(contract).write("unions.pay#response", _Message(result=sent))
    assert written == {"result": {"number": "1"}}  # the only model there
    holder = _Message(payment=_Message(gold_card=_Message(number="1", limit=0)))
    given: dict[str, Any] = {"forms": [], "by_name": {}}
    written = Writer(contract).write("unions.Holder", _Message(**given, **vars(holder)))
    assert written["payment"] == {"kind": "gold_card", "number": "1", "limit": 0}
    read = Reader(contract).read("unions.Holder", {"number": 1, "payment": written["payment"]})
    assert read["payment"] == {"gold_card": {"number": "1", "limit": 0}}


def test_a_value_that_would_be_taken_for_a_model_is_refused() -> None:
    contract = CASES["agents"].contract()
    content = next(one for one in contract.unions if one.name.endswith(".ToolReturnContent"))
    tags = Unions(contract).tags(content)
    assert tags is not None
    entries = {tags.key: _value(string_value=next(iter(tags.members)))}
    sent = _Message(content=_Message(any_value=_object(entries)), tool_name="t", outcome=1)
    with pytest.raises(Unfit, match="would be taken for the one that names a model"):
        Writer(contract).write("synapse_bridge.agents.messages.ToolReturnPart", sent)


def _value(**kind: Any) -> Any:
    return types_pb2.Value(**kind)


def _object(entries: dict[str, Any]) -> Any:
    return _value(object_value=types_pb2.ObjectValue(entries=entries))
