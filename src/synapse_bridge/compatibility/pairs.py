"""Which member of the new contract is which of the old one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, TypeAlias, TypeVar

from synapse_bridge.compatibility.findings import Finding
from synapse_bridge.contract.model import Reserved

Role: TypeAlias = Literal["taken", "given"]
"""Whether clients send a value, or the server."""


class Numbered(Protocol):
    """A field, enum value or union member."""

    @property
    def name(self) -> str:
        """Its Python name."""

    @property
    def number(self) -> int:
        """Its number on the wire."""


Member = TypeVar("Member", bound=Numbered)


def pair(
    old: Iterable[Member], new: Iterable[Member]
) -> Iterator[tuple[Member | None, Member | None]]:
    """Members of the same name; then, of what is left, those of the same number, which were
    renamed; then each that has no other."""
    before = {one.name: one for one in old}
    after = {one.name: one for one in new}
    for name in before.keys() & after.keys():
        yield before.pop(name), after.pop(name)
    numbers = {one.number: one for one in after.values()}
    for one in before.values():
        same = numbers.pop(one.number, None)
        if same is not None:
            del after[same.name]
        yield one, same
    for one in after.values():
        yield None, one


def gone(
    rule: str, where: str, word: str, member: Numbered, reserved: Iterable[Reserved]
) -> Iterator[Finding]:
    """A member that was deleted, and whether its number is left to another."""
    yield Finding(rule, where, f"{word} `{member.name}` is gone")
    if member.number not in {one.number for one in reserved}:
        what = f"{member.number}, which was `{member.name}`'s, is free"
        yield Finding("MEMBER_NO_DELETE_UNLESS_RESERVED", where, what)


def restored(
    where: str, old: Iterable[Reserved], new: Iterable[Reserved], names: Iterable[str]
) -> Iterator[Finding]:
    """Numbers that were reserved and are not any more."""
    still, names = {one.number for one in new}, set(names)
    for one in old:
        if one.number not in still:
            back = one.name in names
            what = f"{one.number}, which was `{one.name}`'s, is {'that again' if back else 'free'}"
            yield Finding("RESERVED_RESTORED" if back else "RESERVED_NO_DELETE", where, what)
