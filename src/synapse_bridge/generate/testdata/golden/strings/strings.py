"""Texts."""

from typing import Annotated

from pydantic import BaseModel, Field


class Text(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=80)]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9\-]+$")] = "untitled"
    quoted: str = 'says "#{hello}" \\ and\ttabs\nlines'
    accents: str = "déjà vu, 東京, 🙂, e\u0301, 👨‍👩‍👧"
    author: str | None = None
    tags: list[Annotated[str, Field(max_length=1)]] = []


EXAMPLES = [
    Text(title="a"),
    Text(title="é" * 80, slug="a-1", quoted="", accents="\x00\u202e", author="", tags=["", "🙂"]),
]


def shout(text: Text, ending: Annotated[str, Field(max_length=3)] = "!") -> str:
    """Says it louder."""
    return text.title.upper() + ending


def echo(value: Text) -> Text:
    """Returns the text."""
    return value
