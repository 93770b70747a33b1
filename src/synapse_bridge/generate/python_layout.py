"""Expressions of a generated Python server, laid out as ``ruff format`` does by default."""

from __future__ import annotations

import re
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

_TOKEN = re.compile(
    r"""
    b?"(?:[^"\\]|\\.)*" | b?'(?:[^'\\]|\\.)*' | [\[\],|] | [^\[\],|\s"']+
    """,
    re.VERBOSE,
)
_COMMA = concat(",", Break())


def statement(doc: Doc, *, depth: int = 1) -> list[str]:
    """The lines of a statement inside ``depth`` blocks."""
    return render(doc, WIDTH, indent=INDENT * depth, lookahead=True).split("\n")


def assignment(target: str, value: Doc, *, depth: int = 1) -> list[str]:
    """``target = value``; a value without brackets gets parentheses where that makes it fit."""
    if isinstance(value, str) and INDENT * (depth + 1) + len(value) <= WIDTH:
        value = _parenthesized(value)
    return statement(concat(f"{target} = ", value), depth=depth)


def signature(name: str, parameter: str, annotation: str, returns: str) -> list[str]:
    """``def name(parameter: annotation) -> returns:``."""
    one = concat(f"{parameter}: ", _type(annotation))
    return statement(concat(display(f"def {name}(", [one], ")"), f" -> {returns}:"), depth=0)


def call(function: str, *arguments: Doc) -> Doc:
    """``function(a, b)``; broken, the arguments stand on one line if they fit there."""
    if not arguments:
        return f"{function}()"
    comma = IfBroken(",") if len(arguments) > 1 else ""
    listed = Group(concat(join(arguments, _COMMA), comma))
    return bracketed(f"{function}(", listed, ")")


def bracketed(opening: str, doc: Doc, closing: str) -> Doc:
    """``table[key]``, ``f(x)``; broken, what is inside stands on a line of its own."""
    return Group(concat(opening, Nest(concat(Break(""), doc), INDENT), Break(""), closing))


def display(opening: str, items: Iterable[Doc], closing: str, *, tall: bool = False) -> Doc:
    """``{a, b}``; broken (always if ``tall``), every item stands on a line of its own."""
    items = list(items)
    if not items:
        return opening + closing
    listed = concat(join(items, _COMMA), IfBroken(","))
    return bracketed(opening, Unfit(listed) if tall else listed, closing)


def sequence(items: Iterable[Doc]) -> Doc:
    """``(a, b)``, a tuple; of one item, ``(a,)``."""
    items = list(items)
    if len(items) == 1:
        return bracketed("(", concat(items[0], ","), ")")
    return display("(", items, ")")


def comprehension(opening: str, item: Doc, each: str, iterable: Doc, closing: str) -> Doc:
    """``[item for each in iterable]``."""
    body = Group(concat(Group(item), Break(), f"for {each} in ", iterable))
    return bracketed(opening, body, closing)


def choice(value: Doc, condition: Doc, otherwise: Doc) -> Doc:
    """``value if condition else otherwise``, in parentheses where it breaks."""
    return _parenthesized(
        Group(concat(value, Break(), concat("if ", condition), Break(), "else ", otherwise))
    )


def _parenthesized(doc: Doc) -> Doc:
    body = concat(Nest(concat(Break(""), doc), INDENT), Break(""))
    return Group(concat(IfBroken("("), body, IfBroken(")")))


def _type(annotation: str) -> Doc:
    """An annotation that can break inside its brackets and at its ``|``."""
    tokens = _TOKEN.findall(annotation)
    doc, rest = _union(tokens)
    assert not rest, annotation
    return doc


def _union(tokens: list[str]) -> tuple[Doc, list[str]]:
    doc, tokens = _part(tokens)
    docs = [doc]
    while tokens[:1] == ["|"]:
        doc, tokens = _part(tokens[1:])
        docs.append(concat("| ", doc))
    return (Group(join(docs, Break())) if len(docs) > 1 else docs[0]), tokens


def _part(tokens: list[str]) -> tuple[Doc, list[str]]:
    name, *tokens = tokens
    if tokens[:1] != ["["]:
        return name, tokens
    items: list[Doc] = []
    while tokens[0] != "]":
        doc, tokens = _union(tokens[1:])
        items.append(doc)
    comma = IfBroken(",") if len(items) > 1 else ""
    return bracketed(f"{name}[", concat(join(items, _COMMA), comma), "]"), tokens[1:]
