"""What a new lock has that an old one has not, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synapse_bridge.lock.model import KINDS, ServiceLock, Table

_WORDS = {"messages": "field", "enums": "value", "unions": "member"}


def changes(old: ServiceLock, new: ServiceLock) -> Iterator[str]:
    """A line for each number that was given, kept under a new name, or reserved; and what else."""
    for kind in KINDS:
        before, after = old.table(kind), new.table(kind)
        for owner, table in sorted(after.items()):
            known = before[owner] if owner in before else _moved(before, after, table)
            yield from _members(owner, _WORDS[kind], known, table)
    for function, rpc in sorted(new.methods.items()):
        if function not in old.methods:
            yield f"+ rpc {rpc} for {function}"
    for function, rpc in sorted(old.methods.items()):
        if function not in new.methods:
            kept = rpc in new.methods.values()
            yield f"{'~' if kept else '-'} rpc {rpc} of {function}{' goes on' if kept else ''}"
    if old.contract != new.contract:
        yield "~ the contract"


def _members(owner: str, word: str, old: Table, new: Table) -> Iterator[str]:
    before = {n: name for name, n in old.numbers.items()}
    for name, n in sorted(new.numbers.items(), key=lambda item: item[1]):
        if n in before and before[n] != name:
            yield f"~ {owner}: {word} `{name}` keeps {n}, which was `{before[n]}`'s"
        elif n in old.reserved:
            yield f"+ {owner}: {word} `{name}` is back with {n}"
        elif n not in before:
            yield f"+ {owner}: {word} `{name}` gets {n}"
    for n, retired in new.reserved.items():
        if n in before:
            yield f"- {owner}: {n} is reserved; it was {word} `{retired.name}`"


def _moved(before: Mapping[str, Table], after: Mapping[str, Table], table: Table) -> Table:
    """The table that a renamed owner had: the one that has left the lock, which nothing else does,
    and that is most like it."""
    left = [old for owner, old in before.items() if owner not in after]
    members = table.numbers.items()
    return max(left, key=lambda old: len(old.numbers.items() & members), default=Table())
