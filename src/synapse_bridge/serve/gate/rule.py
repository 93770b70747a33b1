"""What a call of a method needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a call of a method needs.

    ``open`` methods need no identity. Of the others, ``allow`` names the identities and roles that
    may call; ``None`` allows every identity. ``counted`` calls are bounded in number,
    ``bounded`` ones in time.
    """

    open: bool = False
    allow: frozenset[str] | None = None
    counted: bool = True
    bounded: bool = True
