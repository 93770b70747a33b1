"""The configuration puts annotations in the place of those in the code."""

from __future__ import annotations

import re

import pytest

from synapse_bridge.contract.model import Contract, Literally
from synapse_bridge.contract.types import (
    Constraints,
    Custom,
    ListOf,
    MapOf,
    MessageRef,
    Scalar,
    Type,
)
from synapse_bridge.introspect import IntrospectionError, Override, introspect
from synapse_bridge.introspect.conftest import Write

SOURCE = """
    from __future__ import annotations
    from collections.abc import Sequence
    from typing import Any
    from pydantic import BaseModel
    class Sku(str): pass
    class Item(BaseModel):
        model_config = {"arbitrary_types_allowed": True}
        sku: Sku
        count: int = 5
    class Order(BaseModel):
        items: Sequence[Item] = []
        extra: Any = None
    def f(order: Order, when: complex, raw=3) -> Sequence[int]: ...
"""
STR = Scalar("string")


def overridden(write: Write, **changes: str) -> tuple[Contract, str]:
    module = write(SOURCE)
    types = {
        "Sku": "str",
        "Order.items": "list[Item]",
        "Order.extra": "dict[str, str]",
        "f.when": "str",
        "f.raw": "Annotated[int, Field(ge=0)]",
        "f.return": "list[int]",
    } | changes
    overrides = {
        f"{module}.{name}": Override(text, "synapse.yaml", line)
        for line, (name, text) in enumerate(types.items(), 2)
        if text
    }
    return introspect(module, ["f"], overrides=overrides), module


def test_classes_fields_parameters_and_results(write: Write) -> None:
    contract, module = overridden(write)

    def types(name: str) -> dict[str, Type]:
        return {f.name: f.type for f in contract.message(f"{module}.{name}").fields}

    sku = Custom(name=f"{module}.Sku", module=module, inner=STR, via="annotation", source="str")
    assert types("Item") == {"sku": sku, "count": Scalar("int64")}
    assert types("Order") == {
        "items": ListOf(MessageRef(f"{module}.Item")),
        "extra": MapOf(STR, STR),
    }
    assert types("f#request") == {
        "order": MessageRef(f"{module}.Order"),
        "when": STR,
        "raw": Scalar("int64", Constraints(ge=0)),
    }
    assert contract.service.methods[0].result == ListOf(Scalar("int64"))
    raw = contract.message(f"{module}.f#request").fields[2]
    assert raw.default == Literally(3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"f.when": "strr"},
            ["parameter `when` of `f`", "(synapse.yaml:5)", "`strr`: name 'strr'"],
        ),
        ({"f.when": "list["}, ["(synapse.yaml:5)", "`list[`"]),
        ({"f.when": "memoryview"}, ["parameter `when` of `f`: `complex`", "`bytes`"]),
        ({"f.wen": "int"}, ["synapse.yaml:8", "m.f.wen", "did you mean `m.f.when`?"]),
        ({"Order.itms": "int"}, ["synapse.yaml:8", "did you mean `m.Order.items`?"]),
        ({"Odrer.items": "int"}, ["synapse.yaml:8", "did you mean `m.Order.items`?"]),
        ({"Sku": "list[Sku]"}, ["leads back to it"]),
        ({"f.when": ""}, ["parameter `when` of `f`: `complex`"]),
    ],
)
def test_a_wrong_override_is_told_with_its_place(
    write: Write, changes: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(IntrospectionError) as caught:
        overridden(write, **changes)
    text = re.sub(r"module_\d+", "m", str(caught.value))
    for word in words:
        assert word in text


def test_overrides_of_other_modules_are_left_alone(write: Write) -> None:
    module = write("def f(x: int) -> int: ...")
    introspect(module, overrides={"somewhere.else": Override("int"), "x.Y.z": Override("int")})
