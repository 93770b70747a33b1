"""Between a contract and the lock's tables: which members there are, and which numbers they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from synapse_bridge.contract.model import Contract, Enum, Field, Message, Reserved, Union
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import Type
from synapse_bridge.contract.wire import Entry, Wrapped, slot
from synapse_bridge.lock.model import Kind, Table, Tables
from synapse_bridge.lock.numbering import Member


def members(
    messages: Iterable[Message], enums: Iterable[Enum], unions: Iterable[Union]
) -> dict[Kind, dict[str, list[Member]]]:
    """All that wants a number, by kind and owner, in declaration order."""
    return {
        "messages": {
            message.name: [Member(field.name, shape(field)) for field in _fields(message)]
            for message in messages
        },
        "enums": {enum.name: [Member(member.name) for member in enum.members] for enum in enums},
        "unions": {
            union.name: [Member(one.name, _label(one.type)) for one in union.members]
            for union in unions
        },
    }


def shape(field: Field) -> str:
    """What a field looks like on the wire: ``repeated Int64``, ``optional shop.models.Order``.

    Two fields of one shape read each other's bytes; so far as the lock is concerned, of one name
    they are the same field.
    """
    found = slot(field.type, field.default)
    match found.element:
        case Wrapped(inner) | Entry(inner) | inner:
            parts = [found.label, *([_label(found.key)] if found.key else []), _label(inner)]
    return " ".join(parts)


def _label(type_: Type) -> str:
    return fill(type_, "label", lambda one: one.name)


def _fields(message: Message) -> tuple[Field, ...]:
    return (*message.fields, message.extra) if message.extra else message.fields


def numbered_message(message: Message, tables: Tables) -> Message:
    """The message with the numbers and reservations of its table."""
    table = tables["messages"][message.name]
    fields = tuple(replace(field, number=table.numbers[field.name]) for field in message.fields)
    extra = message.extra and replace(message.extra, number=table.numbers[message.extra.name])
    return replace(message, fields=fields, extra=extra, reserved=_reserved(table))


def numbered_enum(enum: Enum, tables: Tables) -> Enum:
    """The enum with the numbers and reservations of its table."""
    table = tables["enums"][enum.name]
    members = tuple(replace(one, number=table.numbers[one.name]) for one in enum.members)
    return replace(enum, members=members, reserved=_reserved(table))


def numbered_union(union: Union, tables: Tables) -> Union:
    """The union with the numbers and reservations of its table."""
    table = tables["unions"][union.name]
    members = tuple(replace(one, number=table.numbers[one.name]) for one in union.members)
    return replace(union, members=members, reserved=_reserved(table))


def _reserved(table: Table) -> tuple[Reserved, ...]:
    return tuple(Reserved(n, retired.name) for n, retired in table.reserved.items())


def shapes(contract: Contract) -> Mapping[tuple[Kind, str, str], str]:
    """The shape of each member of a contract, by kind, owner and name."""
    found = members(contract.messages, contract.enums, contract.unions)
    return {
        (kind, owner, member.name): member.shape
        for kind, owners in found.items()
        for owner, all_ in owners.items()
        for member in all_
    }
