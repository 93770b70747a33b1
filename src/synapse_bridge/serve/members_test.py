"""A union is the member that was sent, whatever pydantic would have chosen; and is sent as one."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Json,
    JsonValue,
    RootModel,
    SecretStr,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import TypeAliasType

from synapse_bridge import hints
from synapse_bridge.serve.arguments import validator
from synapse_bridge.serve.entries import Entries
from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.members import Union, sent
from synapse_bridge.serve.path import path


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str = ""


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = ""


class Card(BaseModel):
    number: Annotated[str, Field(max_length=3)] = ""


class GoldCard(Card):
    limit: int = 0


class Voucher(BaseModel):
    number: Annotated[str, Field(max_length=3)] = ""


class Colour(enum.StrEnum):
    RED = "red"


class Names(RootModel[list[str] | list[int]]):
    pass


Tree = TypeAliasType("Tree", "int | list[Tree]")
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Form = Annotated[
    Annotated[Card, Tag("card")] | Annotated[Voucher, Tag("voucher")],
    Discriminator(lambda v: "card"),
]


def received(annotation: Any, value: Any) -> Any:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return validator(function)({"value": value})["value"]


@pytest.mark.parametrize(
    ("annotation", "value", "positions", "expected"),
    [
        (Card | Voucher, {}, [(0,)], Card()),
        (Card | Voucher, {}, [(1,)], Voucher()),
        (Card | GoldCard, {"number": "1"}, [(0,)], Card(number="1")),
        (Card | GoldCard, {"number": "1"}, [(1,)], GoldCard(number="1")),
        (GoldCard | Card | None, {"number": "1"}, [(1,)], Card(number="1")),
        (Form, {}, [(1,)], Voucher()),
        (Pet, {}, [(1,)], Dog()),
        (Annotated[Pet, Field(title="x")] | int, {}, [(0, 1)], Dog()),
        (Pet | None, {}, [(1,)], Dog()),
        (list[int] | list[str], [], [(1,)], []),
        (float | int, 1, [(1,)], 1),
        (float | int, 1, [(0,)], 1.0),
        (datetime.date | str, "2020-01-02", [(1,)], "2020-01-02"),
        (int | str, "1", [(1,)], "1"),
        (bytes | str, "a", [(1,)], "a"),
        (Names | list[str], sent(["a"], (0,)), [(0,)], Names(["a"])),
        (Names | list[str], ["a"], [(1,)], ["a"]),
        (Tree, [sent(1, (0,)), sent([], (1,))], [(1,)], [1, []]),
        (Annotated[int, Field(gt=5)] | str | Annotated[int, Field(lt=0)], 7, [(0,), (2,)], 7),
        (dict[datetime.date, int] | dict[str, int], Entries([("a", 1)]), [(1,)], {"a": 1}),
    ],
)
def test_what_was_sent_is_what_is_built(
    annotation: Any, value: Any, positions: Any, expected: Any
) -> None:
    made = received(annotation, sent(value, *positions))
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize("value", [True, Colour.RED, datetime.datetime(2020, 1, 2)])
def test_values_that_tell_their_member_need_no_mark(value: Any) -> None:
    annotation = int | str | bool | Colour | datetime.date | datetime.datetime
    assert sent(value, (0,)) is value
    assert received(annotation, value) is value


def test_violations_have_the_path_of_the_value() -> None:
    value = [sent({"number": "1234"}, (1,))]
    with pytest.raises(ValidationError) as raised:
        received(list[Card | Voucher], value)
    (error,) = raised.value.errors()
    assert path(error["loc"]) == "value[0].number"
    assert error["type"] == "string_too_long"


SEEN: list[Any] = []


def see(value: Any) -> Any:
    SEEN.append(value)
    return value


class Watched(BaseModel):
    value: Annotated[int | str, BeforeValidator(see)]
    pet: Pet = Cat()

    @field_validator("pet", mode="before")
    @classmethod
    def see_pet(cls, value: Any) -> Any:
        return see(value)

    @model_validator(mode="before")
    @classmethod
    def look(cls, data: Any) -> Any:
        assert isinstance(data["value"], str)
        return data


def test_validators_before_a_union_see_plain_values() -> None:
    SEEN.clear()
    made = received(Watched, {"value": sent("1", (1,)), "pet": sent({"name": "Rex"}, (1,))})
    assert made == Watched.model_construct(value="1", pet=Dog(name="Rex"))
    assert type(made.value) is str
    assert SEEN == ["1", {"name": "Rex"}]


def test_validators_of_a_nested_union_run() -> None:
    inner = Annotated[int | str, AfterValidator(lambda v: [v])]
    assert received(inner | bytes, sent("1", (0, 1))) == ["1"]


def test_a_validator_may_give_another_value_to_the_union() -> None:
    annotation = Annotated[int | str, BeforeValidator(lambda v: int(v))]
    assert received(annotation, sent("12", (1,))) == 12


def test_json_and_lazy_items_are_as_the_wire_has_them() -> None:
    assert received(Json[list[int]], [1]) == [1]
    assert received(Iterable[int], [1, 2]) == [1, 2]
    with pytest.raises(ValidationError):
        received(Iterable[int], ["x"])


@pytest.mark.parametrize(
    ("members", "value", "expected"),
    [
        ({"card": Card, "gold": GoldCard}, Card(), "card"),
        ({"card": Card, "gold": GoldCard}, GoldCard(), "gold"),
        ({"bool": bool, "int": int}, True, "bool"),
        ({"int": int, "bool": bool}, True, "bool"),
        ({"int": int, "float": float}, 1.0, "float"),
        ({"str": str, "float": float}, 1, "float"),
        ({"list": list[int], "list_2": list[str]}, ["a"], "list_2"),
        ({"list": list[int], "list_2": list[str]}, [], "list"),
        ({"literal": Literal["a"], "colour": Colour}, Colour.RED, "colour"),
        ({"literal": Literal["a"], "any": Any}, "b", "any"),
        ({"names": Names, "list": list[str]}, Names(["a"]), "names"),
        ({"tree": list[Tree], "dict": dict[str, int]}, [1, [2]], "tree"),
        ({"date": datetime.date, "datetime": datetime.datetime}, datetime.date.max, "date"),
    ],
)
def test_a_value_is_sent_as_the_member_of_its_class_then_of_its_content(
    members: dict[str, Any], value: Any, expected: str
) -> None:
    assert Union(members).member(value) == expected


def test_what_is_no_member_is_an_error() -> None:
    with pytest.raises(TypeError, match="float is no member"):
        Union({"int": int, "str": str}).member(0.5)


_LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**63), 2**63 - 1)),
    (str, st.text(max_size=3)),
    (float, st.floats(allow_nan=False)),
    (bytes, st.binary(max_size=3)),
    (list[int], st.lists(st.integers(0, 3), max_size=2)),
    (list[str], st.lists(st.sampled_from("12"), max_size=2)),
    (dict[str, int], st.dictionaries(st.sampled_from("12"), st.integers(0, 3), max_size=2)),
    (tuple[int, ...], st.lists(st.integers(0, 3), max_size=2).map(tuple)),
    (Card, st.builds(Card, number=st.sampled_from(["", "1"]))),
    (GoldCard, st.builds(GoldCard, limit=st.integers(0, 1))),
    (Voucher, st.builds(Voucher, number=st.sampled_from(["", "1"]))),
]


@st.composite
def unions(draw: st.DrawFn) -> tuple[Any, int, Any]:
    """A union of some members, the index of one, and a value of it."""
    chosen = draw(st.lists(st.sampled_from(_LEAVES), min_size=2, max_size=5, unique_by=id))
    index = draw(st.integers(0, len(chosen) - 1))
    union = chosen[0][0]
    for annotation, _ in chosen[1:]:
        union = union | annotation
    return union, index, draw(chosen[index][1])


@given(unions())
def test_any_value_comes_back_as_the_member_that_it_was(drawn: tuple[Any, int, Any]) -> None:
    union, index, value = drawn
    wire = value.model_dump() if isinstance(value, BaseModel) else value
    wire = list(wire) if isinstance(wire, tuple) else wire
    made = received(union, sent(wire, (index,)))
    assert (type(made), made) == (type(value), value)
    checker(union).check(made)


@given(unions())
def test_any_value_is_sent_as_a_member_that_takes_it(drawn: tuple[Any, int, Any]) -> None:
    union, index, value = drawn
    members = [one.annotation for one in hints.alternatives(union).members]
    chosen = Union({str(number): one for number, one in enumerate(members)}).member(value)
    checker(members[int(chosen)]).check(value)
    if value or isinstance(value, BaseModel | int | float):
        assert chosen == str(index)


def test_a_sign_tells_the_member_in_any_order() -> None:
    name = f"{__name__}.{{}}".format
    inner = Annotated[int | str, "nested"]
    for union in (Cat | Dog | inner | SecretStr, SecretStr | inner | Dog | Cat):
        values = [sent({}, name("Cat")), sent({}, name("Dog")), sent("1", "str"), sent(1, "int")]
        assert received(list[union], values) == [Cat(), Dog(), "1", 1]  # type: ignore[valid-type] # made at run time
        assert received(union, sent("a", "other")) == SecretStr("a")
    with pytest.raises(TypeError, match="no alternative of a union, or more than one, is `float`"):
        received(Cat | Dog, sent(1.0, "float"))


@pytest.mark.parametrize("value", ["text", None, 1, True, [1, {"a": None}], {"number": "1"}])
def test_any_json_is_one_member_though_pydantic_makes_a_union_of_it(value: Any) -> None:
    def take(value: Card | JsonValue) -> None: ...

    for mark in ("other", (1,)):
        assert validator(take)({"value": sent(value, mark)}) == {"value": value}
    assert validator(take)({"value": sent({"number": "1"}, (0,))}) == {"value": Card(number="1")}
