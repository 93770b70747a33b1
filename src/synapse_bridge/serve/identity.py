"""Who calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, as an authenticator found out.

    ``kind`` says by what: ``token``, ``jwt``, ``certificate``, or what your own authenticator calls
    it. An ``allow:`` list names identities and ``roles`` alike. ``claims`` is what else the
    credentials said (a JWT's claims, a certificate's names); it is not shown in logs.
    """

    name: str
    kind: str
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def is_any_of(self, allowed: frozenset[str]) -> bool:
        """Whether the name or a role is in a list; ``*`` in the list stands for everyone."""
        return self.name in allowed or "*" in allowed or not allowed.isdisjoint(self.roles)
