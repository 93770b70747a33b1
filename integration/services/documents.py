"""Documents as trees of sections."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from pydantic import BaseModel, Field

__all__ = ["chain", "find", "flatten", "outline", "to_markdown", "word_counts"]


class Emphasis(Enum):
    """How a span of text stands out."""

    NONE = "none"
    STRONG = "strong"
    CODE = "code"


class Span(BaseModel):
    """A run of text in one style."""

    text: str
    emphasis: Emphasis = Emphasis.NONE
    footnote: Section | None = None


class Section(BaseModel):
    """A heading, the text under it, and the sections inside.

    ``translations`` holds the same section in other languages, by language tag.
    """

    title: str = Field(min_length=1)
    spans: list[Span] = []
    children: list[Section] = []
    translations: dict[str, Section] = {}
    see_also: Section | None = None


class Document(BaseModel):
    """A titled tree."""

    title: str
    root: Section
    keywords: dict[str, list[str]] = {}
    grid: list[list[int | None]] = []


def outline(document: Document, depth: int = 3) -> list[str]:
    """List the numbered headings of a document.

    Parameters
    ----------
    document : Document
        What to read.
    depth : int
        How many levels to show.

    Returns
    -------
    list of str
        Lines such as ``1.2 Results``, in reading order.

    Examples
    --------
    >>> outline(Document(title="T", root=Section(title="Intro")))
    ['1 Intro']
    """
    return list(_outline(document.root, "1", depth))


def flatten(section: Section) -> list[Section]:
    """Take a tree apart into its sections, each without its children.

    Parameters
    ----------
    section : Section
        The root.

    Returns
    -------
    list of Section
        In reading order.
    """
    alone = section.model_copy(update={"children": []})
    return [alone, *(inner for child in section.children for inner in flatten(child))]


def find(section: Section, title: str) -> Section | None:
    """Find the first section of that title, or ``None``."""
    return next((s for s in _walk(section) if s.title == title), None)


def word_counts(document: Document) -> dict[str, int]:
    """Count the words under each heading, footnotes included.

    Notes
    -----
    A word is what ``str.split`` returns.
    """
    return {section.title: _words(section) for section in _walk(document.root)}


def chain(length: int) -> Section:
    """Make a chain of nested sections.

    Parameters
    ----------
    length : int
        How many sections there are; the first is called ``1``.

    Raises
    ------
    ValueError
        If ``length`` is not positive.
    """
    if length < 1:
        raise ValueError("length must be positive")
    section = Section(title=str(length))
    for number in range(length - 1, 0, -1):
        section = Section(title=str(number), children=[section])
    return section


def to_markdown(document: Document) -> str:
    r'''Write a document as Markdown.

    Backslashes are doubled: ``\n`` in a text becomes ``\\n``. Quotes such as """ and what looks
    like code of another language, ``#{System.halt(1)}`` or ``<%= 1 + 1 %>``, are only text.

    Parameters
    ----------
    document : Document
        What to write.
    '''
    lines = [f"# {document.title}"]
    for section in _walk(document.root):
        lines.append(f"## {section.title}")
        lines.append(
            " ".join(
                _MARKS[span.emphasis] % span.text.replace("\\", r"\\") for span in section.spans
            )
        )
    return "\n\n".join(line for line in lines if line)


_MARKS = {Emphasis.NONE: "%s", Emphasis.STRONG: "**%s**", Emphasis.CODE: "`%s`"}


def _walk(section: Section) -> Iterator[Section]:
    yield section
    for child in section.children:
        yield from _walk(child)


def _outline(section: Section, number: str, depth: int) -> Iterator[str]:
    yield f"{number} {section.title}"
    if depth > 1:
        for position, child in enumerate(section.children, start=1):
            yield from _outline(child, f"{number}.{position}", depth - 1)


def _words(section: Section) -> int:
    footnotes = (span.footnote for span in section.spans if span.footnote is not None)
    return sum(len(span.text.split()) for span in section.spans) + sum(map(_words, footnotes))
