"""Giving numbers: old ones to members that are known, new ones to those that are not.

Rules for numbers: https://protobuf.dev/programming-guides/proto3 (assigning, deleting, reserved).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeAlias

from synapse_bridge.lock.model import Kind, Retired, ServiceLock, Table, Tables
from synapse_bridge.lock.renames import Renames

LARGEST = 2**29 - 1
"""The largest number of a field; an enum's could be larger, but no enum has so many members."""

PROTOBUFS_OWN = range(19_000, 20_000)
"""Field numbers that protobuf keeps for itself."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field, enum value or union member that wants a number; ``shape`` as in ``Retired``."""

    name: str
    shape: str = ""


Shapes: TypeAlias = "Callable[[Kind, str, str], str]"
"""The shape that a member (kind, owner, name) had in the contract that was locked; empty where it
cannot be told, and then nothing that comes back is taken for it."""


def number(
    service: ServiceLock,
    present: Mapping[Kind, Mapping[str, Sequence[Member]]],
    renames: Renames,
    shapes: Shapes,
) -> Tables:
    """The tables of a service after a change: what is ``present`` now, in declaration order.

    Of what is not there any more everything is reserved, so that it may come back.
    """
    return {
        kind: _tables(service.table(kind), owners, renames, partial(shapes, kind))
        for kind, owners in present.items()
    }


def _tables(
    old: Mapping[str, Table],
    present: Mapping[str, Sequence[Member]],
    renames: Renames,
    shape: Callable[[str, str], str],
) -> dict[str, Table]:
    found: dict[str, Table] = {}
    moved = set()
    for owner, members in present.items():
        before = owner if owner in old else renames.owner(owner)
        moved.add(before)
        table = old.get(before, Table())
        found[owner] = renumber(
            table, members, partial(renames.member, owner), partial(shape, before)
        )
    for owner, table in old.items():
        if owner not in present and owner not in moved:
            found[owner] = renumber(table, (), lambda _: None, partial(shape, owner))
    return found


def renumber(
    table: Table,
    members: Sequence[Member],
    renamed: Callable[[str], str | None],
    shape: Callable[[str], str],
) -> Table:
    """The table of one message, enum or union for the members that it has now.

    ``renamed`` gives the old name of a member, ``shape`` the shape that a locked one had.
    """
    here = {member.name for member in members}
    numbers = {name: n for name, n in table.numbers.items() if name in here}
    gone = {name: n for name, n in table.numbers.items() if name not in here}
    reserved = dict(table.reserved)
    free = _free(max([*table.numbers.values(), *table.reserved], default=0))
    for member in members:
        if member.name in numbers:
            continue
        old = renamed(member.name)
        if old in gone:
            numbers[member.name] = gone.pop(old)
            continue
        back = next((n for n, was in reserved.items() if was == _retired(member)), None)
        if back is None:
            numbers[member.name] = next(free)
        else:
            numbers[member.name] = back
            del reserved[back]
    reserved |= {n: Retired(name, shape(name)) for name, n in gone.items()}
    return Table(numbers, dict(sorted(reserved.items())))


def _retired(member: Member) -> Retired:
    return Retired(member.name, member.shape)


def _free(last: int) -> Iterator[int]:
    """Numbers that were never given, in order."""
    for n in count(last + 1):
        if n not in PROTOBUFS_OWN:
            yield n
