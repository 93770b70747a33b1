"""Which new name stands for which old one, as the code and the configuration say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from synapse_bridge.lock.model import ServiceLock


@dataclass(frozen=True, slots=True)
class Renames:
    """Qualified new names (a class, function, field, parameter or enum member) to old ones.

    An old name without dots was in the same place as the new one.
    """

    names: Mapping[str, str] = field(default_factory=dict)

    def owner(self, name: str) -> str:
        """What a message, enum, union or function was called before.

        A class takes with it what is named after it: its ``Literal`` fields
        (``shop.Order.status``) and its generics (``shop.Page[shop.Order]``). A function takes its
        request and response.
        """
        for new in sorted(self.names, key=len, reverse=True):
            name = re.sub(rf"(?<![\w.]){re.escape(new)}(?!\w)", self._full(new), name)
        return name

    def member(self, owner: str, name: str) -> str | None:
        """What the member ``name`` of ``owner`` was called before; ``None`` if nothing says so."""
        old = self.names.get(place(owner, name))
        return None if old is None else old.rpartition(".")[2]

    def _full(self, new: str) -> str:
        old = self.names[new]
        return old if "." in old else ".".join([*new.split(".")[:-1], old])


def place(owner: str, member: str) -> str:
    """The qualified name of a member; a parameter is a member of its function's request."""
    return f"{owner.partition('#')[0]}.{member}"


def unknown(renames: Renames, service: ServiceLock, present: Iterable[str]) -> Iterator[str]:
    """The renames that cannot be: of something that is here, and that neither the lock's tables
    know by its new name nor by its old one."""
    known = set(service.methods)
    for tables in service.tables.values():
        for owner, table in tables.items():
            known.add(owner)
            known |= {place(owner, name) for name in table.numbers}
            known |= {place(owner, retired.name) for retired in table.reserved.values()}
    here = set(present)
    for new in renames.names:
        if new in here and new not in known and not known & _earlier(renames, new):
            yield new


def _earlier(renames: Renames, new: str) -> set[str]:
    """What ``new`` may have been called, with its owner under the new name or under the old."""
    owner, _, _ = new.rpartition(".")
    old = renames.names[new]
    if "." in old:
        return {old}
    return {f"{owner}.{old}", f"{renames.owner(owner)}.{old}"}
