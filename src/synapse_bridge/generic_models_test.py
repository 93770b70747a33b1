"""Generic models that hold themselves, directly or by others, are known by their classes."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, RootModel

from synapse_bridge.generic_models import fields_of_model

T = TypeVar("T")


class Tree(BaseModel, Generic[T]):
    leaf: T
    branches: list[Tree[T]] = []
    by_name: dict[str, Annotated[Tree[T], Field(title="t")] | None] = {}


class Left(BaseModel, Generic[T]):
    right: Right[T] | None = None


class Right(BaseModel, Generic[T]):
    left: Left[T] | None = None
    value: T


class Nest(RootModel[list["Nest[T]"] | T], Generic[T]):
    pass


def annotation(cls: Any, name: str) -> Any:
    return fields_of_model(cls)[name].annotation


def test_a_class_that_holds_itself_is_named() -> None:
    for cls in (Tree[int], Tree[str], Tree[list[int]]):
        assert annotation(cls, "branches") == list[cls]  # type: ignore[valid-type] # made at run time
        _, value = typing.get_args(annotation(cls, "by_name"))
        named, none = typing.get_args(value)
        assert (typing.get_args(named)[0], none) == (cls, type(None))


def test_classes_that_hold_each_other_are_named() -> None:
    left = Left[int]
    right = annotation(left, "right").__args__[0]
    assert annotation(right, "left") == left | None


def test_a_root_that_holds_itself_is_named() -> None:
    nest = Nest[int]
    assert annotation(nest, "root") == list[nest] | int


def test_fields_that_need_nothing_are_as_they_were() -> None:
    assert fields_of_model(Tree) is Tree.model_fields
