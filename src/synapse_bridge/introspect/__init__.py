"""Introspection: live Python functions → the contract.

The only part that imports the user's module. It refuses, with the place in the source, whatever
cannot cross the bridge without loss; all refusals of a module come together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from synapse_bridge.contract.model import Contract
from synapse_bridge.garbage import collected_seldom
from synapse_bridge.introspect import source
from synapse_bridge.introspect.agents import (
    Wanted,
    definitions,
    load_agents,
    method_names,
    read_methods,
)
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.exceptions import read_pending
from synapse_bridge.introspect.functions import Calls, read_function
from synapse_bridge.introspect.loading import load
from synapse_bridge.introspect.locking import (
    Locked,
    check_renames,
    locked_rpcs,
    number_all,
    renames_of,
    written,
)
from synapse_bridge.introspect.naming import Naming, check_functions, name_all
from synapse_bridge.introspect.overrides import Override, check_overrides
from synapse_bridge.introspect.refusal import IntrospectionError, Place, Refusal
from synapse_bridge.introspect.selection import select
from synapse_bridge.introspect.unions import find_discriminators
from synapse_bridge.lock import ServiceLock

__all__ = [
    "Calls",
    "IntrospectionError",
    "Locked",
    "Naming",
    "Override",
    "Place",
    "Refusal",
    "Wanted",
    "introspect",
    "introspect_locked",
]


def introspect(
    target: str,
    functions: Sequence[str] | None = (),
    naming: Naming | None = None,
    overrides: Mapping[str, Override] | None = None,
    calls: Mapping[str, Calls] | None = None,
    locked: Locked | None = None,
    agents: Sequence[Wanted] = (),
) -> Contract:
    """The contract of a module's functions, or of an instance's methods.

    ``target`` is ``package.module`` or ``package.module:object``; ``functions`` chooses among what
    it has (see :func:`~synapse_bridge.introspect.selection.select`). ``overrides`` replaces
    annotations: it maps a qualified class, ``module.Class.field``, ``module.function.parameter`` or
    ``module.function.return`` to another. ``calls`` says of functions what they do not say
    themselves. ``locked`` has the numbers that members keep; without it they are numbered as
    they come. ``agents`` are served besides; with ``functions`` as ``None``, nothing else is.

    Raises :class:`IntrospectionError`, whose text is for the user.
    """
    locked = locked or Locked()
    return introspect_locked(target, functions, naming, overrides, calls, locked, agents)[0]


@collected_seldom()
def introspect_locked(
    target: str,
    functions: Sequence[str] | None,
    naming: Naming | None,
    overrides: Mapping[str, Override] | None,
    calls: Mapping[str, Calls] | None,
    locked: Locked,
    agents: Sequence[Wanted] = (),
) -> tuple[Contract, ServiceLock]:
    """As :func:`introspect`, with what the lock has to say of the service from now on."""
    module, path, owner = load(target)
    naming = naming or Naming()
    calls = calls or {}
    if path and agents:
        raise IntrospectionError(
            f"`{target}` is an object, and agents are those of a module\n"
            f"  → name the module: `{module.__name__}`"
        )
    served = load_agents(module, agents)
    ours = method_names(served)
    check_functions(naming.origin, "functions", naming.functions.keys() - ours, owner)
    check_functions(naming.origin, "methods", calls.keys() - ours, owner)
    parts = [part for agent in served for part in agent.parts()]
    chosen = {} if functions is None else select(module, path, owner, functions, parts)
    catalogue = Catalogue(overrides)
    read = [
        read_function(
            n, f, module.__name__, f"{path}.{n}" if path else n, catalogue, calls.get(n, Calls())
        )
        for n, f in chosen.items()
    ]
    for agent in served:
        read += read_methods(module, agent, catalogue, calls)
    read_pending(catalogue)
    check_overrides(catalogue.overrides, catalogue.seen, module.__name__)
    if catalogue.refusals:
        raise IntrospectionError.of(catalogue.refusals)
    find_discriminators(catalogue)
    methods = [method for method in read if method is not None]
    doc = source.clean(module.__doc__)
    renames = renames_of(locked, catalogue)
    check_renames(catalogue, module.__name__, methods, locked, renames)
    tables = number_all(catalogue, locked, renames)
    rpcs = locked_rpcs(locked, module.__name__, methods, renames)
    naming = replace(naming, rpcs=rpcs)
    contract = name_all(module.__name__, doc, methods, catalogue, naming)
    if served:
        contract = replace(contract, agents=definitions(served, catalogue))
    return contract, written(contract, tables)
