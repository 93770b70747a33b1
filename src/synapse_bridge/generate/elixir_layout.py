"""Elixir expressions, laid out exactly as ``mix format`` does.

Each function is one rule of Elixir's own ``Code.Formatter`` (1.14 to 1.18), for as much of the
language as generated clients are made of. So nobody has to run the formatter on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synapse_bridge.generate.layout import (
    Break,
    Concat,
    Doc,
    Group,
    Nest,
    NextBreakFits,
    concat,
    join,
    render,
)

WIDTH = 98


@dataclass(frozen=True, slots=True)
class Term:
    """An expression. One that ``hugs`` may open on its call's first line and break inside."""

    doc: Doc
    hugs: bool = False


def lines(term: Term, *, indent: int = 2) -> list[str]:
    """The lines of an expression that stands by itself, indented."""
    return render(Group(term.doc), WIDTH, indent=indent).split("\n")


def text(source: str) -> Term:
    """What never breaks: a name, an atom, a number, a string."""
    return Term(source)


def list_of(items: Sequence[Term]) -> Term:
    """``[a, b]``."""
    return Term(_surround("[", _listed(items), "]") if items else "[]", hugs=True)


def tuple_of(items: Sequence[Term], keywords: Sequence[Term] = ()) -> Term:
    """``{a, b}`` or ``{a, b: c, d: e}``, where the keywords break together."""
    if keywords:
        items = [*items, Term(join((pair.doc for pair in keywords), concat(",", Break())))]
    doc = _listed(items, flexible=True)
    return Term(Group(concat(Nest(concat("{", doc), 1), "}")))


def map_of(pairs: Sequence[Term]) -> Term:
    """``%{a => b}`` or ``%{a: b}``."""
    return Term(_surround("%{", _listed(pairs), "}") if pairs else "%{}", hugs=bool(pairs))


def pair(key: Term, value: Term) -> Term:
    """``key => value``."""
    return _pair(Group(key.doc), " =>", value)


def keyword(key: str, value: Term) -> Term:
    """``key: value``."""
    return _pair(f"{key}:", "", value)


def union(members: Sequence[Term]) -> Term:
    """``a | b``."""
    if len(members) == 1:
        return members[0]
    first, *others = members
    docs: list[Doc] = [Group(first.doc)]
    for other in others:
        docs += [Break(), Group(concat("| ", Nest(other.doc, 2)))]
    return Term(Concat(tuple(docs)))


def typed(left: Term, right: Term) -> Term:
    """``left :: right``."""
    inner = NextBreakFits(right.doc) if right.hugs else right.doc
    after = Nest(concat(" ::", Break(), Group(inner)), 2, "broken")
    doc = concat(Group(left.doc), Group(after))
    return Term(NextBreakFits(doc, enabled=False) if right.hugs else doc)


def default(left: Term, right: Term) -> Term:
    """``left \\\\ right``."""
    return Term(concat(Group(left.doc), " \\\\ ", Group(right.doc)))


def call(name: str, arguments: Sequence[Term]) -> Term:
    """``name(a, b)``."""
    if not arguments:
        return Term(f"{name}()")
    hugs = arguments[-1].hugs
    listed = _listed(arguments, hug_last=hugs)
    if len(arguments) == 1 and isinstance(listed, Group):
        listed = listed.doc
    inner = concat(Nest(listed, 2, "broken"), Break(""))
    doc: Doc = Group(concat(Nest(concat("(", Break("")), 2, "broken"), inner, ")"))
    return Term(concat(name, NextBreakFits(doc, enabled=False) if hugs else doc))


def bare_call(name: str, arguments: Sequence[Term], keywords: Sequence[Term] = ()) -> Term:
    """``name a, b, key: value``."""
    if keywords:
        left = _listed(arguments, trailing_comma=True)
        right = Group(concat(Break(), _listed(keywords)), inherit=True)
        listed: Doc = Nest(concat(left, NextBreakFits(right)), "cursor", "broken")
        doc: Doc = Group(Nest(concat(" ", listed), 2))
        return Term(concat(name, NextBreakFits(doc, enabled=False)))
    hugs = arguments[-1].hugs
    listed = _listed(arguments, hug_last=hugs)
    if isinstance(listed, Group):
        listed = listed.doc
    doc = Group(concat(" ", Nest(listed, "cursor", "broken")))
    return Term(concat(name, NextBreakFits(doc, enabled=False) if hugs else doc))


def _pair(key: Doc, operator: str, value: Term) -> Term:
    inner = NextBreakFits(value.doc) if value.hugs else value.doc
    after = Group(Nest(concat(operator, Break(), Group(inner)), 2, "broken"))
    doc = concat(Group(key), after)
    return Term(NextBreakFits(doc, enabled=False) if value.hugs else doc, hugs=value.hugs)


def _surround(opening: str, doc: Doc, closing: str) -> Doc:
    return Group(concat(Nest(concat(opening, Break(""), doc), 2, "broken"), Break(""), closing))


def _listed(
    items: Sequence[Term],
    *,
    flexible: bool = False,
    hug_last: bool = False,
    trailing_comma: bool = False,
) -> Doc:
    docs: list[Doc] = []
    for index, item in enumerate(items):
        last = index == len(items) - 1
        doc = item.doc
        if not last or trailing_comma:
            doc = _with_comma(doc)
        elif hug_last:
            doc = NextBreakFits(doc)
        docs += [Break(flexible=flexible)] if docs else []
        docs.append(Group(doc))
    return docs[0] if len(docs) == 1 else Concat(tuple(docs))


def _with_comma(doc: Doc) -> Doc:
    """A comma belongs to the last group of what it follows, so that both stay on one line."""
    match doc:
        case Concat([*docs, last]):
            return Concat((*docs, _with_comma(last)))
        case Group(inner, inherit):
            return Group(concat(inner, ","), inherit)
        case _:
            return concat(doc, ",")
