"""What a lock holds: plain, immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["messages", "enums", "unions"]
"""What has numbered members; each kind is one table of a service's lock, by qualified name."""

KINDS: tuple[Kind, ...] = ("messages", "enums", "unions")


@dataclass(frozen=True, slots=True)
class Retired:
    """What a reserved number belonged to: the member's Python name, and its shape on the wire.

    Should a member of that name and shape come back, it is the same member and gets its number
    back; one of another shape would be misread, and gets a new number.
    """

    name: str
    shape: str


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of one message, enum or union: those of its members, and those reserved."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    reserved: Mapping[int, Retired] = field(default_factory=dict)


Tables: TypeAlias = "Mapping[Kind, Mapping[str, Table]]"


@dataclass(frozen=True, slots=True)
class ServiceLock:
    """All that is locked of one service.

    ``methods`` maps qualified Python functions to the rpcs that they are called by, so that a
    renamed function is still found by clients that know the old name. ``contract`` is the document
    of the contract, without prose, that the lock was written from.
    """

    tables: Tables = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    contract: Mapping[str, Any] = field(default_factory=dict)

    def table(self, kind: Kind) -> Mapping[str, Table]:
        """The tables of that kind, by qualified name."""
        return self.tables.get(kind, {})


EMPTY = ServiceLock()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file: services by what they were introspected from (``shop.pricing:desk``)."""

    services: Mapping[str, ServiceLock] = field(default_factory=dict)

    def service(self, target: str) -> ServiceLock:
        """What is locked of a service; nothing, where it is not in the lock yet."""
        return self.services.get(target, EMPTY)

    def having(self, target: str, service: ServiceLock) -> Lock:
        """The lock with that service in it."""
        return Lock({**self.services, target: service})
