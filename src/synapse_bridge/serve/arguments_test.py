"""Arguments are validated by the function's signature and passed as it demands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ValidationError

from synapse_bridge.serve.arguments import caller, validator
from synapse_bridge.serve.service import Members


@dataclasses.dataclass
class Point:
    x: int


class Aliased(BaseModel):
    name: str = Field(alias="Name", validation_alias="NAME")


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    point: Point
    nested: Aliased
    age: int = Field(strict=True)


def everything(
    first: int, second: int = 2, /, third: int = 3, *, fourth: Annotated[int, Field(ge=0)] = 4
) -> tuple[int, ...]:
    return (first, second, third, fourth)


def strict(model: Strict) -> None: ...


def aliased(model: Aliased) -> None: ...


def invoke(function: Callable[..., Any], **arguments: Any) -> Any:
    return caller(function)(validator(function)(arguments))


def violations(function: Callable[..., Any], **arguments: Any) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as raised:
        validator(function)(arguments)
    return [(error["loc"], error["type"]) for error in raised.value.errors()]


def test_absent_arguments_take_the_functions_own_defaults() -> None:
    assert invoke(everything, first=1) == (1, 2, 3, 4)
    assert invoke(everything, first=1, fourth=5) == (1, 2, 3, 5)


def test_positional_only_arguments_are_passed_by_position() -> None:
    assert invoke(everything, first=1, second=7, third=8) == (1, 7, 8, 4)


def test_a_positional_only_argument_may_be_absent_before_one_that_is_sent() -> None:
    def both(a: int = 1, b: int = 2, /) -> tuple[int, int]:
        return (a, b)

    assert invoke(both, b=5) == (1, 5)


def test_a_function_without_parameters_takes_nothing() -> None:
    assert invoke(lambda: 42) == 42


def test_all_violations_are_reported_at_once() -> None:
    assert violations(everything, second="x", fourth=-1) == [
        (("first",), "missing"),
        (("second",), "int_parsing"),
        (("fourth",), "greater_than_equal"),
    ]


def test_models_are_read_and_reported_by_field_name_whatever_their_aliases() -> None:
    assert validator(aliased)({"model": {"name": "a"}})["model"].name == "a"
    assert violations(aliased, model={}) == [(("model", "name"), "missing")]
    assert violations(aliased, model={"name": 1}) == [(("model", "name"), "string_type")]


def test_strict_models_accept_what_stands_for_instances() -> None:
    sent = {"point": {"x": 1}, "nested": {"name": "a"}, "age": 5}
    model = validator(strict)({"model": sent})["model"]
    assert model.point == Point(1)
    assert model.nested.name == "a"


def test_an_unknown_enum_number_is_a_violation_of_the_enum() -> None:
    from enum import IntEnum
    from typing import Literal

    class Level(IntEnum):
        LOW = 7

    def f(level: Level, mode: Literal["a", "b"]) -> None: ...

    f.__annotations__ = {"level": Level, "mode": Literal["a", "b"], "return": None}
    levels, modes = Members({1: Level.LOW}), Members({1: "a", 2: "b"})
    assert violations(f, level=levels[7], mode=modes[0]) == [
        (("level",), "enum"),
        (("mode",), "literal_error"),
    ]
    assert validator(f)({"level": levels[1], "mode": modes[2]}) == {"level": Level.LOW, "mode": "b"}


def test_a_parameter_without_annotation_takes_what_arrives() -> None:
    def f(a, *, b=2):  # type: ignore[no-untyped-def] # what is tested
        return a + b

    assert invoke(f, a=1) == 3
    assert violations(f, b=1) == [(("a",), "missing")]


def test_a_parameter_without_an_annotation_takes_what_the_wire_holds() -> None:
    def f(a, b: int):  # type: ignore[no-untyped-def] # that is the point
        return (a, b)

    assert invoke(f, a={"x": 1}, b=2) == ({"x": 1}, 2)


def test_methods_and_callable_objects_have_no_self() -> None:
    class Desk:
        def add(self, a: int) -> int:
            return a + 1

        def __call__(self, b: int) -> int:
            return b + 2

    assert invoke(Desk().add, a=1) == 2
    assert invoke(Desk(), b=1) == 3
