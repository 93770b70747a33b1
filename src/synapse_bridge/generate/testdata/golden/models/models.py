"""Models and dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, Field


class Empty(BaseModel):
    """Holds nothing."""


class Outer(BaseModel):
    """Holds an inner one.

    Attributes:
        inner: What it holds.
        label: How it is ``called``.
    """

    class Inner(BaseModel):
        """Is held."""

        value: int

    inner: Inner
    label: str = Field("none", description="How it is called.")
    empty: Empty = Field(default_factory=Empty)


@dataclass
class Node:
    """A node of a tree."""

    value: int
    children: list[Node] = field(default_factory=list)
    by_name: dict[str, Node] = field(default_factory=dict)
    parent: Node | None = None


EXAMPLES = [
    Outer(inner=Outer.Inner(value=1)),
    Node(1, [Node(2, [Node(3)])], {"a": Node(4, parent=Node(5))}),
]


def unpack(outer: Outer) -> Outer.Inner:
    """Takes the inner one out."""
    return outer.inner


def echo(value: Outer) -> Outer:
    """Returns the model."""
    return value


def echo_node(value: Node) -> Node:
    """Returns the node."""
    return value
