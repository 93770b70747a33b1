"""What comes straight from the wire is not looked at again; all else is, as ever."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import ValidationError

from synapse_bridge.serve.arguments import validator


class Plain(BaseModel):
    values: list[float]


class Before(BaseModel):
    values: list[float]

    @field_validator("values", mode="before")
    @classmethod
    def text(cls, values: Any) -> Any:
        return [str(value) for value in values]


class WholeBefore(BaseModel):
    values: list[float]

    @model_validator(mode="before")
    @classmethod
    def text(cls, data: Any) -> Any:
        return {"values": [str(value) for value in data["values"]]}


class Both(BaseModel):
    """Holds one model twice: once as it came, once made of what somebody's function gave."""

    plain: Plain
    other: Annotated[Plain, BeforeValidator(lambda value: {"values": ["1"]})]


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str


class Finite(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)
    values: list[float]


class ByDefault(BaseModel):
    model_config = ConfigDict(validate_default=True)
    values: list[float] = ["1"]  # type: ignore[list-item] # that is the point


class After(BaseModel):
    values: list[float]

    @field_validator("values")
    @classmethod
    def doubled(cls, values: list[float]) -> list[float]:
        return [2 * value for value in values]


def validated(annotation: Any, value: Any) -> Any:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return validator(function, as_sent=True)({"value": value})["value"]


def test_what_the_wire_holds_is_taken_as_it_is() -> None:
    # No wire gives an int for a float: it shows that nothing has looked.
    assert type(validated(Plain, {"values": [1]}).values[0]) is int
    assert type(validated(dict[str, list[float]], {"a": [1]})["a"][0]) is int
    (doubled,) = validated(After, {"values": [2]}).values
    assert type(doubled) is int


@pytest.mark.parametrize("model", [Before, WholeBefore])
def test_what_a_validator_gives_is_looked_at(model: type[Any]) -> None:
    assert validated(model, {"values": [1.5]}).values == [1.5]
    assert validated(list[model], [{"values": [1.5]}])[0].values == [1.5]  # type: ignore[valid-type]


def test_a_model_that_stands_in_two_places_is_looked_at() -> None:
    both = validated(Both, {"plain": {"values": [1.5]}, "other": {"values": [1.5]}})
    assert (both.plain.values, both.other.values) == ([1.5], [1.0])


def test_settings_hold() -> None:
    assert validated(Stripped, {"name": " a "}).name == "a"
    assert validated(ByDefault, {}).values == [1.0]
    with pytest.raises(ValidationError, match="finite"):
        validated(Finite, {"values": [float("nan")]})


def test_constraints_hold() -> None:
    for annotation, value in (
        (Annotated[list[float], Field(max_length=1)], [0.5, 1.5]),
        (list[Annotated[float, Field(ge=1)]], [0.5]),
        (Annotated[str, Field(min_length=2)], "a"),
        (dict[Annotated[str, Field(max_length=1)], float], {"ab": 0.5}),
    ):
        with pytest.raises(ValidationError):
            validated(annotation, value)


def test_a_container_is_one_of_ones_own() -> None:
    sent = [0.5]
    plain = validated(Plain, {"values": sent})
    sent.append(1.5)
    assert plain.values == [0.5]
