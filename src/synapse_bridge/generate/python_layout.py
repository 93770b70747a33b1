"""Expressions of a generated Python server, laid out as ``ruff format`` does by default."""

from __future__ import annotations

from collections.abc import Iterable

from synapse_bridge.generate.layout import (
    Break,
    Doc,
    Group,
    IfBroken,
    Nest,
    Unfit,
    concat,
    join,
    render,
)

WIDTH = 88
INDENT = 4

_COMMA = concat(",", Break())


def statement(doc: Doc, *, depth: int = 1) -> list[str]:
    """The lines of a statement inside ``depth`` blocks."""
    return render(doc, WIDTH, indent=INDENT * depth, lookahead=True).split("\n")


def call(function: str, *arguments: Doc) -> Doc:
    """``function(a, b)``; broken, the arguments stand on one line if they fit there."""
    if not arguments:
        return f"{function}()"
    listed = Group(concat(join(arguments, _COMMA), IfBroken(",")))
    return Group(concat(f"{function}(", Nest(concat(Break(""), listed), INDENT), Break(""), ")"))


def display(opening: str, items: Iterable[Doc], closing: str, *, tall: bool = False) -> Doc:
    """``{a, b}``; broken (always if ``tall``), every item stands on a line of its own."""
    listed = join(items, _COMMA)
    if listed == join((), ""):
        return opening + closing
    body = concat(Nest(concat(Break(""), listed, IfBroken(",")), INDENT), Break(""))
    return Group(concat(opening, Unfit(body) if tall else body, closing))


def comprehension(opening: str, item: Doc, each: str, iterable: Doc, closing: str) -> Doc:
    """``[item for each in iterable]``."""
    body = Group(concat(Group(item), Break(), f"for {each} in ", iterable))
    return Group(concat(opening, Nest(concat(Break(""), body), INDENT), Break(""), closing))


def choice(value: Doc, condition: Doc, otherwise: Doc) -> Doc:
    """``value if condition else otherwise``, in parentheses where it breaks."""
    body = Group(concat(value, Break(), concat("if ", condition), Break(), "else ", otherwise))
    return Group(
        concat(IfBroken("("), Nest(concat(Break(""), body), INDENT), Break(""), IfBroken(")"))
    )
