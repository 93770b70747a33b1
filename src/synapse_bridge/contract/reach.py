"""What of a contract belongs to a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from synapse_bridge.contract.model import Contract, Method
from synapse_bridge.contract.types import (
    EnumRef,
    MessageRef,
    Ref,
    Scalar,
    Type,
    UnionRef,
    parts,
    references,
)


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


def bares_secret(contract: Contract, type_: Type) -> bool:
    """Whether a value holds a secret in a union or a ``TypedDict``.

    In Elixir these are bare values and maps, which nothing hides when they are inspected; the
    struct of a model or a dataclass hides its own secrets.
    """
    found: set[Ref] = set()
    todo = [*references(type_)]
    while todo:
        one = todo.pop()
        is_struct = isinstance(one, MessageRef) and contract.message(one.name).role != "typed_dict"
        if one in found or is_struct:
            continue
        found.add(one)
        for part in _parts(contract, one, sent=True):
            if any(kind in _SECRETS for kind in _kinds(part)):
                return True
            todo += references(part)
    return False


_SECRETS = ("secret_string", "secret_bytes")


def _kinds(type_: Type) -> Iterator[str]:
    if isinstance(type_, Scalar):
        yield type_.kind
    for part in parts(type_).values():
        yield from _kinds(part)


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
