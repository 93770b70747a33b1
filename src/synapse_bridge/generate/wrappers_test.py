"""Which wrapper messages there are, and what they are called."""

from __future__ import annotations

from synapse_bridge.contract import (
    Constraints,
    Contract,
    Dynamic,
    Field,
    ListOf,
    Literally,
    MapOf,
    Message,
    MessageRef,
    Nullable,
    Required,
    Scalar,
    Service,
    Type,
)
from synapse_bridge.contract.wire import Wrapped
from synapse_bridge.generate.wrappers import Wrappers

INT = Scalar("int64")
STRING = Scalar("string")


def contract(*types: Type, model: str = "Model") -> Contract:
    """A contract of one message, whose fields have these types and a default only Python knows."""
    fields = tuple(
        Field(f"field_{number}", number, type_, Dynamic(), proto=f"field_{number}")
        for number, type_ in enumerate(types, 1)
    )
    message = Message(f"shop.{model}", model, f"Shop.{model}", "model", fields)
    service = Service("shop", "shop.v1", "ShopService", "Shop", "shop", "", ())
    return Contract(service, (message,), ())


def names(of: Contract) -> list[str]:
    return [wrapper.proto for wrapper in Wrappers(of)]


def test_wrappers_are_named_by_what_they_hold_and_sorted() -> None:
    held = contract(Nullable(ListOf(INT)), MapOf(STRING, ListOf(MessageRef("shop.Model"))))
    assert names(held) == [
        "ListOfInt64",
        "ListOfModel",
        "MapOfStringListOfModel",
        "OptionalListOfInt64",
    ]


def test_constraints_make_no_difference() -> None:
    few = ListOf(Scalar("int64", Constraints(ge=0)), Constraints(max_length=3))
    held = contract(few, ListOf(INT))
    assert names(held) == ["ListOfInt64"]
    assert Wrappers(held)[Wrapped(few)].proto == "ListOfInt64"


def test_a_model_of_the_same_name_keeps_it() -> None:
    assert names(contract(ListOf(INT), model="ListOfInt64")) == ["ListOfInt64Wrapper"]


def test_two_shapes_never_share_a_name() -> None:
    # A list of the model ListOfInt64, and a list of lists of int64, would be called alike.
    model = MessageRef("shop.ListOfInt64")
    held = contract(ListOf(model), ListOf(ListOf(INT)), model="ListOfInt64")
    assert len(set(names(held))) == len(names(held)) == 3


def test_what_needs_no_wrapper_gets_none() -> None:
    service = contract().service
    fields = (
        Field("a", 1, ListOf(INT), Required()),
        Field("b", 2, Nullable(INT), Literally(None)),
        Field("c", 3, MapOf(STRING, INT), Literally({})),
    )
    message = Message("shop.Model", "Model", "Shop.Model", "model", fields)
    assert names(Contract(service, (message,), ())) == []
