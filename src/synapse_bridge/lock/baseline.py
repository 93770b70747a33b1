"""The contract as the lock keeps it: what a change can be judged by, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from synapse_bridge.contract import schema_write
from synapse_bridge.contract.model import Contract, Docstring, Enum, Message, Method, Union
from synapse_bridge.contract.schema import ContractError, from_json
from synapse_bridge.lock.document import LockError
from synapse_bridge.lock.members import shapes
from synapse_bridge.lock.model import Kind, ServiceLock


def bare(contract: Contract) -> dict[str, Any]:
    """The document of a contract without prose and places, in an order that says nothing.

    So neither a docstring, nor a line that moved, nor reordering makes a lock stale.
    """
    service = contract.service
    methods = sorted(map(_bare_method, service.methods), key=lambda method: method.proto)
    return schema_write.document(
        replace(
            contract,
            service=replace(service, doc="", methods=tuple(methods)),
            messages=tuple(map(_bare_message, contract.messages)),
            enums=tuple(map(_bare_enum, contract.enums)),
            unions=tuple(map(_bare_union, contract.unions)),
        )
    )


def locked_contract(service: ServiceLock) -> Contract | None:
    """The contract that was locked; ``None`` if that was none yet.

    Raises :class:`LockError` where another version of synapse_bridge wrote it.
    """
    if not service.contract:
        return None
    try:
        return from_json(json.dumps(service.contract))
    except ContractError as error:
        raise LockError(
            f"the contract in the lock cannot be read: {error}\n"
            "  → `synapse_bridge lock` writes it again; numbers stay as they are"
        ) from None


def known_shapes(service: ServiceLock) -> Mapping[tuple[Kind, str, str], str]:
    """The shapes of the members that were locked, by kind, owner and name; none if unknown."""
    try:
        contract = locked_contract(service)
    except LockError:
        return {}
    return {} if contract is None else shapes(contract)


def _bare_method(method: Method) -> Method:
    return replace(method, doc=Docstring(), source="", is_async=False)


def _bare_message(message: Message) -> Message:
    fields = sorted(message.fields, key=lambda field: field.number)
    return replace(
        message,
        doc="",
        fields=tuple(replace(field, doc="") for field in fields),
        extra=message.extra and replace(message.extra, doc=""),
    )


def _bare_enum(enum: Enum) -> Enum:
    members = sorted(enum.members, key=lambda member: member.number)
    return replace(enum, doc="", members=tuple(replace(member, doc="") for member in members))


def _bare_union(union: Union) -> Union:
    members = sorted(union.members, key=lambda member: member.number)
    return replace(union, doc="", members=tuple(replace(member, doc="") for member in members))
