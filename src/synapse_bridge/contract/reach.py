"""What of a contract belongs to a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from synapse_bridge.contract.model import Contract, Method
from synapse_bridge.contract.types import EnumRef, MessageRef, references


def within(contract: Contract, messages: Iterable[str]) -> set[MessageRef | EnumRef]:
    """All messages and enums that the messages of these names hold, directly or not."""
    found: set[MessageRef | EnumRef] = set()
    todo = [*messages]
    while todo:
        for field in contract.message(todo.pop()).fields:
            for one in references(field.type):
                if one not in found and isinstance(one, MessageRef):
                    todo.append(one.name)
                found.add(one)
    return found


def of_method(contract: Contract, method: Method) -> Contract:
    """The contract as it would be with this method alone."""
    roots = (method.request, method.response, *method.raises)
    kept = within(contract, roots) | {MessageRef(name) for name in roots}
    return replace(
        contract,
        service=replace(contract.service, methods=(method,)),
        messages=tuple(m for m in contract.messages if MessageRef(m.name) in kept),
        enums=tuple(e for e in contract.enums if EnumRef(e.name) in kept),
    )
