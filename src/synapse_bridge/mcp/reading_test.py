"""What of JSON is taken, as which member of a union, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import ValidationError

from synapse_bridge.generate.testing import CASES
from synapse_bridge.mcp.reading import Reader


def _read(case: str, message: str, value: Any) -> dict[str, Any]:
    return Reader(CASES[case].contract()).read(message, value)


def _errors(case: str, message: str, value: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        _read(case, message, value)
    return {
        ".".join(map(str, one["loc"])): (one["type"], one["msg"])
        for one in refused.value.errors(include_url=False)
    }


@pytest.mark.parametrize(
    ("field", "value", "member"),
    [
        ("number", 1, {"int_value": 1}),
        ("number", 1.0, {"float_value": 1.0}),
        ("flag", True, {"bool_value": True}),
        ("flag", 1, {"int_value": 1}),
        ("payment", {"number": "1"}, {"card": {"number": "1"}}),
        ("payment", {"number": "1", "limit": 2}, {"gold_card": {"number": "1", "limit": 2}}),
        ("payment", {"kind": "gold_card", "number": "1"}, {"gold_card": {"number": "1"}}),
        ("pet", {"kind": "wolf"}, {"dog": {"kind": 2}}),
        ("nested", {"kind": "cat"}, {"cat": {"kind": 1}}),
        ("nested", "cat", {"str_value": "cat"}),
        ("items", [], {"list_value": {"items": []}}),
        ("items", ["1"], {"list_value_2": {"items": ["1"]}}),
        ("items", {"a": 1}, {"dict_value": {"entries": {"a": 1}}}),
        ("limit", "none", {"literal": 1}),
        ("unit", "m", {"unit": 1}),
        ("unit", "bWV0cmU=", {"bytes_value": b"metre"}),
        ("when", "2020-01-02", {"str_value": "2020-01-02"}),
        ("by_name", {"a": 1, "b": "1"}, {"a": {"int_value": 1}, "b": {"str_value": "1"}}),
    ],
)
def test_a_value_is_the_member_that_it_fits(field: str, value: Any, member: Any) -> None:
    read = _read("unions", "unions.Holder", {"number": 1, field: value})
    assert read[field] == member


@pytest.mark.parametrize(
    ("field", "value", "place", "said"),
    [
        ("number", "1", "number", "Input should fit one of int, float"),
        (
            "payment",
            {"limit": 1},
            "payment",
            "Input should fit one of card, gold_card, which `kind` names",
        ),
        ("payment", {"kind": "gold_card"}, "payment.number", "Field required"),
        ("pet", {}, "pet.kind", 'Input should be "cat", "dog" or "wolf"'),
        ("pet", {"kind": "cow"}, "pet.kind", 'Input should be "cat", "dog" or "wolf"'),
        ("pet", {"kind": "cat", "name": 1}, "pet.name", "Input should be a string"),
        ("pet", [], "pet", "Input should be an object"),
        ("by_name", {"a": None}, "by_name.a", "Input should fit one of int, str"),
        ("items", {"a": "1"}, "items.a", "Input should be an integer"),
    ],
)
def test_what_fits_no_member_is_refused(field: str, value: Any, place: str, said: str) -> None:
    errors = _errors("unions", "unions.Holder", {"number": 1, field: value})
    assert {name: text for name, (_, text) in errors.items()} == {place: said}


def test_all_that_is_wrong_is_told_at_once() -> None:
    item = {"sku": 5, "price": {"currency": "eur"}, "blob": "?", "colour": "red"}
    assert _errors("orders", "orders.price#request", {"order": {"items": [item]}}) == {
        "order.items.0.sku": ("string_type", "Input should be a string"),
        "order.items.0.price.currency": ("enum", 'Input should be "EUR" or "USD"'),
        "order.items.0.price.amount": ("missing", "Field required"),
        "order.items.0.blob": ("bytes_invalid_encoding", "Input should be base64"),
        "order.items.0.colour": ("extra_forbidden", "Extra inputs are not permitted"),
        "order.coupon": ("missing", "Field required"),
        "reason": ("missing", "Field required"),
    }


def test_keys_are_read_by_their_type() -> None:
    order: dict[str, Any] = {"items": [], "coupon": None}
    read = _read("orders", "orders.Order", order | {"flags": {"true": 1}, "by_number": {}})
    assert read["flags"] == {True: 1}
    errors = _errors("orders", "orders.Order", order | {"flags": {"True": 1, "1": 1}})
    assert errors == {
        "flags.True": ("value_error", "The key: It should be true or false"),
        "flags.1": ("bool_type", "The key: Input should be true or false"),
    }
    for key in ("01", "1.0", "x", "true"):
        errors = _errors("orders", "orders.Order", order | {"by_number": {key: {}}})
        assert [*errors] == [f"by_number.{key}"]
        assert "integer" in errors[f"by_number.{key}"][1]


def test_nesting_has_an_end() -> None:
    tree: dict[str, Any] = {"value": 1}
    for _ in range(60):
        tree = {"value": 1, "left": tree}
    assert _read("orders", "orders.Tree", tree)["left"]["value"] == 1
    for _ in range(60):
        tree = {"value": 1, "left": tree}
    ((kind, text),) = _errors("orders", "orders.Tree", tree).values()
    assert (kind, text) == ("depth", "Input should be nested in at most 100 levels")
    errors = _errors("orders", "orders.Tree", [])
    assert errors == {"": ("object_type", "Input should be an object")}


def test_a_computed_field_is_not_taken() -> None:
    contract = CASES["structures"].contract()
    message = next(one for one in contract.messages if any(field.computed for field in one.fields))
    computed = next(field.name for field in message.fields if field.computed)
    assert _errors("structures", message.name, {computed: 1})[computed][0] == "computed"


def test_what_a_model_holds_besides_is_read() -> None:
    extra = CASES["structures"].contract().message("structures.Counts").extra
    assert extra is not None
    read = _read("structures", "structures.Counts", {"extra": "a field", "besides": 1})
    assert read == {"extra": "a field", extra.proto: {"besides": 1}}
    errors = _errors("structures", "structures.Counts", {"besides": "1"})
    assert errors == {"besides": ("int_type", "Input should be an integer")}
