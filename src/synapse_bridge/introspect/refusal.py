"""What introspection refuses, said so that its reader can act on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the user's source.

    ``subject`` says what it is (``parameter `data` of `process` ``), ``annotation`` is the text
    as written, or empty where there is none. ``otherwise`` is what else helps at this place,
    whatever is wrong there.
    """

    file: str
    line: int
    subject: str
    annotation: str = ""
    otherwise: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that cannot cross the bridge: where, what, why, and what to write instead."""

    place: Place
    reason: str
    instead: str = ""

    def __str__(self) -> str:
        written = f": `{self.place.annotation}`" if self.place.annotation else ""
        lines = [f"{self.place}: {self.place.subject}{written}", f"  {self.reason}"]
        if remedies := [text for text in (self.instead, self.place.otherwise) if text]:
            lines.append(f"  → {'; or '.join(remedies)}")
        return "\n".join(lines)


class IntrospectionError(Exception):
    """The user's module cannot be bridged as it is. The text lists every reason found."""

    def __init__(self, message: str, refusals: Iterable[Refusal] = ()) -> None:
        super().__init__(message)
        self.refusals = tuple(refusals)

    @classmethod
    def of(cls, refusals: Iterable[Refusal]) -> IntrospectionError:
        """All refusals of a module in one error, in the order of the source."""
        once = dict.fromkeys(refusals)  # Several classes of an agent hold its output.
        found = sorted(once, key=lambda refusal: (refusal.place.file, refusal.place.line))
        return cls("\n\n".join(str(refusal) for refusal in found), found)


class Unsupported(Exception):
    """Raised while a type is read; caught where the place is known."""

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.instead = instead

    def at(self, place: Place) -> Refusal:
        """The refusal of the thing at that place."""
        return Refusal(place, self.reason, self.instead)
