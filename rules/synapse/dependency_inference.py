"""What a service depends on, and who depends on it by using what it generates."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonMappingImpl,
    FirstPartyPythonMappingImplMarker,
    ModuleProvider,
    ModuleProviderType,
    PythonModuleOwnersRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.rules import collect_rules
from pants.engine.target import (
    AllTargets,
    DependenciesRequest,
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
)
from pants.engine.unions import UnionRule
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from elixir.dependency_inference import ElixirModules, ElixirModulesProvider
from pants_compat import (
    concurrently,
    determine_explicitly_provided_dependencies,
    implicitly,
    map_module_to_address,
    resolve_unparsed_address_inputs,
    rule,
)
from synapse import names
from synapse.subsystem import Synapse
from synapse.target_types import (
    SynapseAgentsField,
    SynapseDependenciesField,
    SynapseDepsFactoryField,
    SynapseModuleField,
    elixir_module,
    python_object,
    stem,
)

logger = logging.getLogger(__name__)

GENERATED_CODE_IMPORTS = (
    "synapse_bridge.serve",
    "synapse_bridge.v1.types_pb2",
    "google.protobuf",
    "grpc",
)


class SynapsePythonModules(FirstPartyPythonMappingImplMarker):
    pass


@rule(desc="Map generated Python modules to Synapse services", level=LogLevel.DEBUG)
async def map_python_modules(
    _: SynapsePythonModules, all_targets: AllTargets, python_setup: PythonSetup
) -> FirstPartyPythonMappingImpl:
    modules: dict[str, dict[str, list[ModuleProvider]]] = defaultdict(lambda: defaultdict(list))
    for target in all_targets:
        if target.has_field(SynapseModuleField):
            resolve = target[PythonResolveField].normalized_value(python_setup)
            for module in names.python_modules(stem(target)):
                modules[resolve][module].append(
                    ModuleProvider(target.address, ModuleProviderType.IMPL)
                )
    return FirstPartyPythonMappingImpl.create(modules)


@dataclass(frozen=True)
class SynapseElixirModules(ElixirModulesProvider):
    pass


@rule(desc="Map generated Elixir modules to Synapse services", level=LogLevel.DEBUG)
async def map_elixir_modules(_: SynapseElixirModules, all_targets: AllTargets) -> ElixirModules:
    providers = defaultdict(list)
    for target in all_targets:
        if target.has_field(SynapseModuleField):
            providers[elixir_module(target)].append(target.address)
    return ElixirModules(
        FrozenDict({name: tuple(sorted(found)) for name, found in providers.items()}),
        private=FrozenDict(),
    )


@dataclass(frozen=True)
class SynapseInferenceFieldSet(FieldSet):
    required_fields = (SynapseModuleField, SynapseDependenciesField, PythonResolveField)

    module: SynapseModuleField
    agents: SynapseAgentsField
    deps_factory: SynapseDepsFactoryField
    dependencies: SynapseDependenciesField
    resolve: PythonResolveField


class InferSynapseDependencies(InferDependenciesRequest):
    infer_from = SynapseInferenceFieldSet


@rule(desc="Infer the dependencies of a Synapse service", level=LogLevel.DEBUG)
async def infer_synapse_dependencies(
    request: InferSynapseDependencies, synapse: Synapse, python_setup: PythonSetup
) -> InferredDependencies:
    field_set = request.field_set
    module = python_object(field_set.address, field_set.module, field_set.agents).partition(":")[0]
    factory = (field_set.deps_factory.value or "").partition(":")[0]
    agents = ("synapse_bridge.agents",) if field_set.agents.value else ()
    imported = (module, *GENERATED_CODE_IMPORTS, *agents, *((factory,) if factory else ()))
    resolve = field_set.resolve.normalized_value(python_setup)
    owners = await concurrently(
        map_module_to_address(PythonModuleOwnersRequest(name, resolve=resolve), **implicitly())
        for name in imported
    )
    runtime, explicit = await concurrently(
        resolve_unparsed_address_inputs(synapse.elixir_runtime_addresses, **implicitly()),
        determine_explicitly_provided_dependencies(
            **implicitly({DependenciesRequest(field_set.dependencies): DependenciesRequest})
        ),
    )
    sources = owners[0]
    if sources.ambiguous and not explicit.includes.intersection(sources.ambiguous):
        logger.warning(
            f"Several targets provide the module `{module}` of {field_set.address}: "
            f"{', '.join(sorted(address.spec for address in sources.ambiguous))}. Add the one that "
            f"is meant to the `dependencies` of {field_set.address}."
        )
    elif not sources.unambiguous and not sources.ambiguous and not explicit.includes:
        logger.warning(
            f"No target provides the module `{module}` of {field_set.address}. Is there a "
            f"`python_sources` target for its file, in the resolve `{resolve}`, and is the file's "
            f"folder below a source root (`./pants roots` lists them)?"
        )
    return InferredDependencies(
        sorted({*(a for owner in owners for a in owner.unambiguous), *runtime})
    )


def rules() -> list[Any]:
    return [
        *collect_rules(),
        UnionRule(FirstPartyPythonMappingImplMarker, SynapsePythonModules),
        UnionRule(ElixirModulesProvider, SynapseElixirModules),
        UnionRule(InferDependenciesRequest, InferSynapseDependencies),
    ]
