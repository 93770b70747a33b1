"""What of a contract belongs to a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from synapse_bridge.contract.model import Contract, Method
from synapse_bridge.contract.types import EnumRef, MessageRef, Ref, Type, UnionRef, references


def types(contract: Contract) -> Iterator[Type]:
    """The types of everything that travels: fields, extra values, and members of unions."""
    for message in contract.messages:
        yield from (field.type for field in message.fields)
        if message.extra is not None:
            yield message.extra.type
    for union in contract.unions:
        yield from (member.type for member in union.members)


def within(contract: Contract, messages: Iterable[str], *, sent: bool = True) -> set[Ref]:
    """All that the messages of these names hold, directly or not.

    Computed fields hold nothing where messages are taken and not ``sent`` by Python.
    """
    found: set[Ref] = set()
    todo: list[Ref] = [*map(MessageRef, messages)]
    while todo:
        for type_ in _parts(contract, todo.pop(), sent):
            todo += (one for one in references(type_) if one not in found)
            found.update(references(type_))
    return found


def _parts(contract: Contract, one: Ref, sent: bool) -> Iterator[Type]:
    match one:
        case MessageRef(name):
            message = contract.message(name)
            yield from (field.type for field in message.fields if sent or not field.computed)
            if message.extra is not None:
                yield message.extra.type
        case UnionRef(name):
            yield from (member.type for member in contract.union(name).members)
        case EnumRef():
            pass


def of_method(contract: Contract, method: Method) -> Contract:
    """The contract as it would be with this method alone."""
    roots = (method.request, method.response, *method.raises)
    kept = within(contract, roots) | {MessageRef(name) for name in roots}
    ordered = sorted(kept, key=lambda one: one.name)
    return replace(
        contract,
        service=replace(contract.service, methods=(method,)),
        messages=tuple(contract.message(r.name) for r in ordered if isinstance(r, MessageRef)),
        enums=tuple(contract.enum(r.name) for r in ordered if isinstance(r, EnumRef)),
        unions=tuple(contract.union(r.name) for r in ordered if isinstance(r, UnionRef)),
    )
