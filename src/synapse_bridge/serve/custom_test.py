"""Types that travel as others: converted by functions, by schemas, and as numbers of flags."""

from __future__ import annotations

import enum
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ByteSize, ConfigDict
from pydantic_core import ValidationError, core_schema

from synapse_bridge.serve.custom import (
    Adapted,
    Converted,
    Custom,
    Flags,
    Types,
)
from synapse_bridge.serve.custom import (
    Annotated as Instead,
)
from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.unreadable import checked

HERE: Any = sys.modules[__name__]


class Permission(enum.Flag):
    READ = 1
    WRITE = 4


class Loose(enum.IntFlag):
    ONE = 1


class Money:
    def __init__(self, cents: int) -> None:
        if cents == 13:
            raise ValueError("an unlucky amount")
        if cents == 14:
            raise KeyError("an inner matter")
        self.cents = cents


def cents(money: Money) -> Any:
    return money.cents


class Celsius:
    """Its schema loses what comes after the point."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.float_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: str(int(value.degrees)) if value.degrees < 0 else value.degrees + 1
            ),
        )


class Wallet(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    money: Money
    age: int = 0


MONEY = Converted(
    f"{__name__}.Money", "Annotated[int, Ge(0)]", HERE, to_wire=cents, from_wire=Money
)
AGE = Instead(f"{__name__}.Wallet.age", "Annotated[int, Ge(0)]", HERE)
TYPES = Types(MONEY, AGE)


def read(custom: Custom, value: Any) -> Any:
    """What a request holds of a value from the wire."""
    return checked(lambda _: {"a": custom.from_wire(value)})(None)["a"]


def violations(custom: Custom, value: Any) -> list[tuple[Any, str]]:
    """The violations that reading a value finds, by path and message."""
    with pytest.raises(ValidationError) as caught:
        read(custom, value)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def mismatch(annotation: Any, value: Any, types: Types) -> list[tuple[Any, str]]:
    """What the check of a result finds."""
    with pytest.raises(ValidationError) as caught:
        checker(annotation, types).check(value)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_functions_convert_both_ways() -> None:
    money = read(MONEY, 150)
    assert isinstance(money, Money)
    assert MONEY.to_wire(money) == 150


def test_what_travels_is_held_to_its_annotation() -> None:
    assert violations(MONEY, -1) == [(("a",), "Input should be greater than or equal to 0")]
    assert mismatch(Money, Money(2**70), TYPES)[0][0] == ()
    wrong = Money(1)
    wrong.cents = "1"  # type: ignore[assignment] # that is wrong
    assert mismatch(list[Money], [Money(1), wrong], TYPES)[0][0] == (1,)
    checker(list[Money], TYPES).check([Money(1)])


def test_a_value_error_of_the_function_is_a_violation() -> None:
    assert violations(MONEY, 13) == [(("a",), "an unlucky amount")]


def test_any_other_error_of_the_function_is_its_own() -> None:
    with pytest.raises(KeyError):
        read(MONEY, 14)


def test_a_value_that_does_not_convert_is_told_with_its_path() -> None:
    ((place, message),) = mismatch(Wallet, SimpleNamespace(money=1, age=1), TYPES)
    assert place == ()
    ((place, message),) = mismatch(Wallet, Wallet.model_construct(money="x", age=1), TYPES)
    assert place == ("money",)
    assert message == "It cannot be converted: AttributeError"


def test_an_annotation_of_the_configuration_holds() -> None:
    assert read(AGE, 5) == 5
    assert violations(AGE, -5) == [(("a",), "Input should be greater than or equal to 0")]
    ((place, _),) = mismatch(Wallet, Wallet.model_construct(money=Money(1), age="x"), TYPES)
    assert place == ("age",)


def test_an_annotation_of_the_configuration_tells_paths_within() -> None:
    custom = Instead("x", "list[dict[str, Annotated[int, Le(3)]]]", HERE)
    assert violations(custom, [{"k": 1}, {"k": 5}]) == [
        (("a", 1, "k"), "Input should be less than or equal to 3")
    ]


def test_a_class_with_a_schema_converts_itself() -> None:
    size = Adapted(ByteSize, int)
    assert size.to_wire(ByteSize(5)) == 5
    checker(ByteSize, Types(size)).check(ByteSize(5))


def test_a_schema_that_loses_something_is_refused() -> None:
    types = Types(Adapted(Celsius, float))
    ((_, message),) = mismatch(Celsius, Celsius(1.5), types)
    assert "would not come back as it is" in message
    ((_, message),) = mismatch(Celsius, Celsius(-1.5), types)
    assert message  # a str where the schema promised a number


@pytest.mark.parametrize("value", [0, 1, 4, 5])
def test_flags_are_the_number_of_their_bits(value: int) -> None:
    flags = Flags(Permission)
    assert read(flags, value) == Permission(value)
    assert flags.to_wire(Permission(value)) == value
    checker(Permission, Types(flags)).check(Permission(value))


@pytest.mark.parametrize("value", [2, 8, -1, -2])
def test_bits_that_no_flag_has_are_violations(value: int) -> None:
    assert "flags of Permission" in violations(Flags(Permission), value)[0][1]


def test_unknown_bits_stay_where_the_flags_keep_them() -> None:
    assert read(Flags(Loose), 6) == Loose(6)


def test_a_number_is_no_flag() -> None:
    assert mismatch(Permission, 1, Types(Flags(Permission)))


def test_a_naive_datetime_is_utc_where_the_service_says_so() -> None:
    naive = datetime(2024, 5, 1)
    checker(datetime, Types(naive_datetime="utc")).check(naive)
    checker(datetime).check(naive.replace(tzinfo=UTC))
    ((_, message),) = mismatch(datetime, naive, Types())
    assert "time zone" in message
    assert "naive_datetime" in message
