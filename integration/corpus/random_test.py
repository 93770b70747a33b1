"""Random models go to Elixir and come back the same, and so do random structs that Elixir makes."""

from __future__ import annotations

import pytest
from check_random import Batch
from elixir_echo import available

from synapse_bridge.contract import reach
from synapse_bridge.contract.registry import ROWS, row
from synapse_bridge.contract.types import Type, parts

MODELS = 36


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return Batch.of(1, MODELS, tmp_path_factory.mktemp("random"))


def test_values_come_back_the_same_from_both_sides(batch: Batch) -> None:
    if not available():
        pytest.skip("Elixir is not installed here: apt-get install elixir erlang-ssl")
    outcome = batch.check(structs=20, seconds=300)
    assert not outcome.failures, batch.report(outcome)
    assert outcome.values == MODELS * 4


def test_every_row_of_the_type_table_is_in_the_batch(batch: Batch) -> None:
    found = {
        id(row(inner)) for type_ in reach.types(batch.bridge.contract) for inner in _all(type_)
    }
    # A wrapper is no type of a field: it is made where a type stands in a list of lists, say.
    assert [kind for kind, one in ROWS.items() if id(one) not in found] == ["wrapped"]


def _all(type_: Type) -> list[Type]:
    return [type_, *(one for inner in parts(type_).values() for one in _all(inner))]
