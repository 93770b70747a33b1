"""How JSON tells the members of a union apart.

What JSON has for two models may be the same, and then nobody could say which one it is: neither who
reads a result, nor a function that gets it back. So where no field of their own tells models apart,
they have one key more, ``kind``, which names the member. Values that come without it are read as
pydantic would, as what they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from synapse_bridge.contract.model import Contract, Message, Union, UnionMember
from synapse_bridge.contract.types import EnumRef, MessageRef, unrooted


@dataclass(frozen=True, slots=True)
class Tags:
    """The ``key`` that tells members apart, and the messages by its values."""

    key: str
    members: Mapping[str, UnionMember]


class Unions:
    """The unions of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._known: dict[str, Tags | None] = {}

    def tags(self, union: Union) -> Tags | None:
        """What tells the models of a union apart; ``None`` where they need nothing more."""
        if union.name not in self._known:
            self._known[union.name] = _tags(self._contract, union)
        return self._known[union.name]


def _tags(contract: Contract, union: Union) -> Tags | None:
    models = {
        member.name: contract.message(ref.name)
        for member in union.members
        if isinstance(ref := unrooted(member.type), MessageRef)
    }
    if len(models) < 2 or union.discriminator is not None or _differ(contract, models):
        return None
    taken = {field.name for message in models.values() for field in message.fields}
    key = next(name for name in _names() if name not in taken)
    return Tags(key, {one.name: one for one in union.members if one.name in models})


def _names() -> Iterator[str]:
    yield "kind"
    yield from (f"kind_{number}" for number in count(2))


def _differ(contract: Contract, models: Mapping[str, Message]) -> bool:
    """Whether the models have literals of one name, no two of them with a value in common."""
    first, *_ = models.values()
    return any(_differ_by(contract, models, field.name) for field in first.fields)


def _differ_by(contract: Contract, models: Mapping[str, Message], name: str) -> bool:
    seen: set[str] = set()
    for message in models.values():
        type_ = next((unrooted(field.type) for field in message.fields if field.name == name), None)
        if not isinstance(type_, EnumRef) or contract.enum(type_.name).role != "literal":
            return False
        values = {repr(member.value) for member in contract.enum(type_.name).members}
        if seen & values:
            return False
        seen |= values
    return True
