"""The lock in introspection: what keeps its number, what is reserved, what is refused."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_bridge.contract.model import Contract
from synapse_bridge.introspect import IntrospectionError, Locked, Naming, introspect_locked
from synapse_bridge.lock import EMPTY, ServiceLock
from synapse_bridge.lock.baseline import locked_contract

HEAD = """
from typing import Annotated, Literal
import enum
from pydantic import BaseModel
from synapse_bridge import RenamedFrom
"""

Version = Callable[..., "tuple[Contract, ServiceLock]"]
_counter = itertools.count()


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Version:
    """Introspects one version after the other of a module, always under the same name."""
    name = f"versioned_{next(_counter)}"
    monkeypatch.syspath_prepend(str(tmp_path))

    def read(
        source: str, service: ServiceLock = EMPTY, **renamed: str
    ) -> tuple[Contract, ServiceLock]:
        sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").write_text(HEAD + source)
        names = {f"{name}.{new}": old for new, old in renamed.items()}
        names = {new.replace("__", "."): old for new, old in names.items()}
        found = introspect_locked(name, (), Naming("V"), None, None, Locked(service, names))
        sys.modules.pop(name, None)
        return found

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return read


def numbers(contract: Contract, suffix: str) -> dict[str, int]:
    name = f"{contract.service.module}.{suffix}"
    if any(enum.name == name for enum in contract.enums):
        return {member.name: member.number for member in contract.enum(name).members}
    return {field.name: field.number for field in contract.message(name).fields}


FIRST = """
class Color(enum.Enum):
    RED = 1
    BLUE = 2

class Item(BaseModel):
    sku: str
    size: int
    kind: Literal["a", "b"]

def price(item: Item, color: Color, tax: float = 0.1) -> int: ...
"""


def test_a_lock_keeps_numbers_through_every_change(version: Version) -> None:
    contract, service = version(FIRST)
    assert numbers(contract, "Item") == {"sku": 1, "size": 2, "kind": 3}
    contract, service = version(
        """
class Color(enum.Enum):
    GREEN = 3
    BLUE = 2
    RED = 1

class Item(BaseModel):
    weight: float
    kind: Literal["c", "b"]
    sku: str

def price(color: Color, item: Item, *, tax: float = 0.1) -> int: ...
""",
        service,
    )
    assert numbers(contract, "Item") == {"sku": 1, "kind": 3, "weight": 4}
    assert numbers(contract, "Color") == {"RED": 1, "BLUE": 2, "GREEN": 3}
    assert numbers(contract, "Item.kind") == {"c": 3, "b": 2}
    assert numbers(contract, "price#request") == {"item": 1, "color": 2, "tax": 3}
    module = contract.service.module
    assert [(r.number, r.name) for r in contract.message(f"{module}.Item").reserved] == [
        (2, "size")
    ]
    assert [(r.number, r.name) for r in contract.enum(f"{module}.Item.kind").reserved] == [(1, "a")]
    contract, _ = version(FIRST, service)
    assert numbers(contract, "Item") == {"sku": 1, "size": 2, "kind": 3}


def test_a_member_that_is_back_as_another_type_gets_another_number(version: Version) -> None:
    _, service = version(FIRST)
    _, service = version(FIRST.replace("    size: int\n", ""), service)
    contract, _ = version(FIRST.replace("size: int", "size: str"), service)
    assert numbers(contract, "Item")["size"] == 4


def test_renames_keep_numbers_and_the_rpc(version: Version) -> None:
    _, service = version(FIRST)
    second = (
        FIRST.replace("Item", "Article")
        .replace("size: int", 'length: Annotated[int, RenamedFrom("size")]')
        .replace("tax: float", 'vat: Annotated[float, RenamedFrom("tax")]')
        .replace("RED", "SCARLET")
        .replace("price", "offer")
    )
    contract, service = version(
        second, service, Article="Item", offer="price", Color__SCARLET="RED"
    )
    assert numbers(contract, "Article") == {"sku": 1, "length": 2, "kind": 3}
    assert numbers(contract, "Article.kind") == {"a": 1, "b": 2}
    assert numbers(contract, "Color") == {"SCARLET": 1, "BLUE": 2}
    assert numbers(contract, "offer#request") == {"item": 1, "color": 2, "vat": 3}
    (method,) = contract.service.methods
    assert (method.proto, method.elixir) == ("Price", "offer")
    assert contract.message(method.request).proto == "PriceRequest"
    again, _ = version(second, service)
    assert again == contract, "what is written may be removed from the configuration"


def test_members_of_unions_keep_their_numbers(version: Version) -> None:
    source = "def f(item: 'Order') -> None: ...\nclass Order(BaseModel):\n    key: '{}'\n"
    contract, service = version(source.format("int | str | Color") + FIRST)
    name = f"{contract.service.module}.Order.key"
    before = {member.name: member.number for member in contract.union(name).members}
    assert sorted(before.values()) == [1, 2, 3]
    contract, service = version(source.format("bool | Color | int") + FIRST, service)
    after = {member.name: member.number for member in contract.union(name).members}
    assert after.pop("bool") == 4
    assert after.items() <= before.items()
    assert [one.number for one in contract.union(name).reserved] == [before["str"]]


def test_a_name_that_the_lock_never_had_is_refused(version: Version) -> None:
    _, service = version(FIRST)
    with pytest.raises(IntrospectionError) as caught:
        version(FIRST.replace("size: int", 'length: Annotated[int, RenamedFrom("sise")]'), service)
    text = re.sub(r"versioned_\d+", "m", str(caught.value))
    assert "`m.Item.length` is renamed from `sise`, which the lock does not have" in text
    assert "did you mean `size`?" in text


def test_prose_places_and_order_are_not_locked(version: Version) -> None:
    _, service = version(FIRST)
    moved = FIRST.replace("    sku: str\n    size: int\n", "    size: int\n    sku: str\n")
    moved = moved.replace("-> int: ...", '-> int:\n    """Prices."""')
    assert version(f"\n\n{moved}", service)[1] == service


def test_the_lock_holds_the_contract(version: Version) -> None:
    contract, service = version(FIRST)
    known = locked_contract(service)
    assert known is not None
    assert known.service.methods[0].result == contract.service.methods[0].result
    assert {m.name for m in known.messages} == {m.name for m in contract.messages}
