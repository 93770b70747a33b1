"""Numbers: those of the lock, for what it knows; the next free ones for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from synapse_bridge.contract.model import Contract, Method
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.loading import suggestion
from synapse_bridge.introspect.refusal import IntrospectionError
from synapse_bridge.lock import EMPTY, Kind, Member, Renames, ServiceLock, number
from synapse_bridge.lock.baseline import bare, known_shapes
from synapse_bridge.lock.members import members, numbered_enum, numbered_message, numbered_union
from synapse_bridge.lock.model import Tables
from synapse_bridge.lock.renames import place, unknown


@dataclass(frozen=True, slots=True)
class Locked:
    """What the lock says of a service, and earlier names, as the configuration has them.

    ``origin`` is where it has them, for errors.
    """

    service: ServiceLock = EMPTY
    renamed: Mapping[str, str] | None = None
    origin: str = "configuration"


def renames_of(locked: Locked, catalogue: Catalogue) -> Renames:
    """Earlier names from the configuration and from the code, which goes first."""
    return Renames({**(locked.renamed or {}), **catalogue.renamed})


def number_all(catalogue: Catalogue, locked: Locked, renames: Renames) -> Tables:
    """Give everything in the catalogue its number; returns the tables."""
    known = _Shapes(locked.service)
    present = members_of(catalogue)
    tables = number(locked.service, present, renames, known)
    for message in catalogue.messages.values():
        catalogue.messages[message.name] = numbered_message(message, tables)
    for enum in catalogue.enums.values():
        catalogue.enums[enum.name] = numbered_enum(enum, tables)
    for union in catalogue.unions.values():
        catalogue.unions[union.name] = numbered_union(union, tables)
    return tables


def members_of(catalogue: Catalogue) -> dict[Kind, dict[str, list[Member]]]:
    """All that wants a number, by kind and owner, in declaration order."""
    return members(catalogue.messages.values(), catalogue.enums.values(), catalogue.unions.values())


def locked_rpcs(
    locked: Locked, module: str, methods: Iterable[Method], renames: Renames
) -> dict[str, str]:
    """The rpcs that the lock keeps, by qualified function; an old name's is the new one's."""
    functions = [f"{module}.{method.function}" for method in methods]
    known = locked.service.methods
    return {
        name: rpc
        for name in functions
        if (rpc := known.get(name) or known.get(renames.owner(name)))
    }


def check_renames(
    catalogue: Catalogue, module: str, methods: Iterable[Method], locked: Locked, renames: Renames
) -> None:
    """Refuse an earlier name that the lock has never heard of."""
    if locked.service == EMPTY:
        return
    here = {f"{module}.{method.function}" for method in methods}
    for kind in members_of(catalogue).values():
        for owner, found in kind.items():
            here |= {owner, *(place(owner, member.name) for member in found)}
    for new in unknown(renames, locked.service, here):
        old, where = renames.names[new], catalogue.places.get(new) or locked.origin
        raise IntrospectionError(
            f"{where}: `{new}` is renamed from `{old}`, which the lock does not have"
            # It may have the name elsewhere, where it would be no help.
            + suggestion(old, locked_names(locked.service) - {old})
        )


def locked_names(service: ServiceLock) -> set[str]:
    """All names of members in the lock, without their owners."""
    return {
        name
        for tables in service.tables.values()
        for table in tables.values()
        for name in table.numbers
    }


def written(contract: Contract, tables: Tables) -> ServiceLock:
    """What the lock has to say of a service: its tables, its rpcs, and the contract itself."""
    service = contract.service
    methods = {f"{service.module}.{one.function}": one.proto for one in service.methods}
    return ServiceLock(tables, methods, bare(contract))


class _Shapes:
    """Shapes that were locked, read when the first is asked for."""

    def __init__(self, service: ServiceLock) -> None:
        self._service = service

    def __call__(self, kind: Kind, owner: str, name: str) -> str:
        return self._known.get((kind, owner, name), "")

    @cached_property
    def _known(self) -> Mapping[tuple[Kind, str, str], str]:
        return known_shapes(self._service)
