"""Documents that lay themselves out: text with places where lines may break.

The same algebra that Elixir's formatter is written in (``Inspect.Algebra``, after Lindig's
"Strictly Pretty"), so that what is printed here is what ``mix format`` would print; plus the two
things that Python's formatters need: :class:`IfBroken` and looking ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Concat:
    """One document after the other."""

    docs: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Break:
    """``flat`` in a group that fits on its line, else a new line. A flexible one decides for
    itself: it is a new line only if what follows does not fit."""

    flat: str = " "
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A new line, always."""


@dataclass(frozen=True, slots=True)
class IfBroken:
    """Text that is only there in a group that does not fit on its line."""

    text: str


@dataclass(frozen=True, slots=True)
class Nest:
    """New lines are indented by ``by`` more (``"cursor"``: to where the document starts); with
    ``when="broken"`` only in a group that does not fit."""

    doc: Doc
    by: int | Literal["cursor"]
    when: Literal["always", "broken"] = "always"


@dataclass(frozen=True, slots=True)
class Group:
    """Breaks all of its breaks, or none. With ``inherit`` it breaks if the group around it does."""

    doc: Doc
    inherit: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """Never fits: the groups around it break."""

    doc: Doc


@dataclass(frozen=True, slots=True)
class NextBreakFits:
    """When enabled, groups around it count as fitting once its first break is reached."""

    doc: Doc
    enabled: bool = True


Doc: TypeAlias = "str | Concat | Break | Line | IfBroken | Nest | Group | Unfit | NextBreakFits"

Mode = Literal["flat", "break", "flat_no_break", "break_no_flat"]
_Entry: TypeAlias = "tuple[int, Mode, Doc]"


def concat(*docs: Doc) -> Doc:
    """One document after the other."""
    return Concat(docs)


def join(docs: Iterable[Doc], separator: Doc) -> Doc:
    """Documents with a separator between them."""
    joined: list[Doc] = []
    for doc in docs:
        joined += [separator, doc] if joined else [doc]
    return Concat(tuple(joined))


def render(doc: Doc, width: int, *, indent: int = 0, lookahead: bool = False) -> str:
    """The text of a document that starts at column ``indent``.

    With ``lookahead`` a group must fit together with what follows it on its line.
    """
    written: list[str] = [" " * indent]
    column = indent
    todo: list[_Entry] = [(indent, "break", doc)]
    while todo:
        nesting, mode, one = todo.pop()
        match one:
            case str():
                written.append(one)
                column += len(one)
            case Concat(docs):
                todo.extend((nesting, mode, inner) for inner in reversed(docs))
            case Line():
                written.append("\n" + " " * nesting)
                column = nesting
            case Break(flat, flexible):
                taken = mode == "break"
                if flexible and taken:
                    taken = _fits(width, column + len(flat), [], todo, passed=True) == "break"
                written.append("\n" + " " * nesting if taken else flat)
                column = nesting if taken else column + len(flat)
            case IfBroken(text):
                if mode == "break":
                    todo.append((nesting, mode, text))
            case Nest(inner, by, when):
                todo.append((_nested(nesting, column, by, when, mode), mode, inner))
            case Group(inner, inherit):
                if mode == "break_no_flat":
                    mode = "break"
                elif not (inherit and mode == "break"):
                    rest = todo if lookahead else []
                    mode = _fits(width, column, [(nesting, "flat", inner)], rest)
                todo.append((nesting, mode, inner))
            case NextBreakFits(inner, enabled):
                opened = mode == "flat_no_break" and enabled
                todo.append((nesting, "break_no_flat" if opened else mode, inner))
            case Unfit(inner):
                todo.append((nesting, mode, inner))
    return "\n".join(line.rstrip() for line in "".join(written).split("\n"))


def _nested(nesting: int, column: int, by: int | Literal["cursor"], when: str, mode: Mode) -> int:
    if when == "broken" and mode != "break":
        return nesting
    return column if by == "cursor" else nesting + by


def _fits(
    width: int, column: int, entries: list[_Entry], rest: list[_Entry], *, passed: bool = False
) -> Mode:
    """How to set the entries and the rest after them (the next one last in both): ``flat`` if they
    fit on the line, up to its first possible end; ``flat_no_break`` if all but the part that
    :class:`NextBreakFits` opens fits; ``break`` otherwise.

    Text that is too long counts only once a break was ``passed``: without one, breaking the group
    could not make it shorter. A group's own breaks do not count for what follows the group.
    """
    todo: list[_Entry | bool] = [*entries]
    left = len(rest)  # which is long, and mostly decided by its first words
    otherwise: Mode = "break"
    while not (column > width and passed):
        if todo:
            entry = todo.pop()
        elif left:
            left -= 1
            entry = rest[left]
        else:
            return "flat"
        if isinstance(entry, bool):
            passed = entry
            continue
        nesting, mode, one = entry
        match one:
            case str():
                column += len(one)
            case Concat(docs):
                todo.extend((nesting, mode, inner) for inner in reversed(docs))
            case Break() | Line() if mode == "break":
                return "flat"
            case Break(flat):
                # From here on the rest may do without the line, if it opens only here.
                otherwise = "flat_no_break" if mode == "break_no_flat" else otherwise
                column, passed = column + len(flat), True
            case Line():
                otherwise = "flat_no_break" if mode == "break_no_flat" else otherwise
                column, passed = nesting, False
            case IfBroken(text):
                column += len(text) if mode == "break" else 0
            case Nest(inner, by, when):
                if when == "always":
                    nesting = _nested(nesting, column, by, when, mode)
                todo.append((nesting, mode, inner))
            case Group(inner):
                todo += [passed, (nesting, "flat" if mode == "break" else mode, inner)]
            case Unfit(inner):
                if mode != "break_no_flat":
                    return otherwise
                todo.append((nesting, mode, inner))
            case NextBreakFits(inner, enabled):
                no_break = mode == "flat_no_break" or not enabled
                todo.append((nesting, "flat_no_break" if no_break else "break_no_flat", inner))
    return otherwise
