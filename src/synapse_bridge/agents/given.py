"""Where something stands that is made at run time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """Where an annotation stands: file, line, what it is, and its text.

    ``otherwise`` is what helps where it cannot cross, besides another annotation.
    """

    file: str | None
    line: int
    subject: str
    written: str
    otherwise: str = ""
