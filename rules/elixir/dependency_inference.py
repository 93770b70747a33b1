"""Dependencies from the Elixir modules that a file names."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.addresses import Address
from pants.engine.environment import EnvironmentName
from pants.engine.rules import collect_rules
from pants.engine.target import (
    AllTargets,
    DependenciesRequest,
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
)
from pants.engine.unions import UnionMembership, UnionRule, union
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel
from pants.util.ordered_set import FrozenOrderedSet

from elixir.modules import defined_modules, enclosing_modules, mentioned_modules
from elixir.target_types import (
    ElixirDependenciesField,
    ElixirFileField,
    ElixirLibrarySourcesField,
)
from pants_compat import (
    concurrently,
    determine_explicitly_provided_dependencies,
    determine_source_files,
    get_digest_contents,
    implicitly,
    rule,
)

logger = logging.getLogger(__name__)


@union(in_scope_types=[EnvironmentName])
@dataclass(frozen=True)
class ElixirModulesProvider:
    """Asks a backend which Elixir modules its targets provide.

    Subclass it, and add a rule from the subclass to `ElixirModules`.
    """


@dataclass(frozen=True)
class ElixirModules:
    """Who provides which modules. A provider of `Shop` also provides what is nested in it.

    `private` holds, under the folder of a BUILD file and the name of a module, what only targets
    of that BUILD file can depend on.
    """

    providers: FrozenDict[str, tuple[Address, ...]]
    private: FrozenDict[tuple[str, str], tuple[Address, ...]]


@rule(polymorphic=True)
async def provide_modules(provider: ElixirModulesProvider) -> ElixirModules:
    raise NotImplementedError()


@dataclass(frozen=True)
class ElixirFileModulesRequest:
    sources: ElixirFileField


@dataclass(frozen=True)
class ElixirFileModules:
    paths: tuple[str, ...]
    defined: FrozenOrderedSet[str]
    mentioned: FrozenOrderedSet[str]


@rule(desc="Read the modules of Elixir files", level=LogLevel.DEBUG)
async def read_modules(request: ElixirFileModulesRequest) -> ElixirFileModules:
    sources = await determine_source_files(SourceFilesRequest([request.sources]))
    contents = await get_digest_contents(sources.snapshot.digest)
    texts = [file.content.decode(errors="replace") for file in contents]
    return ElixirFileModules(
        sources.snapshot.files,
        FrozenOrderedSet(sorted({name for text in texts for name in defined_modules(text)})),
        FrozenOrderedSet(sorted({name for text in texts for name in mentioned_modules(text)})),
    )


def _sorted(found: dict[Any, set[Address]]) -> FrozenDict[Any, tuple[Address, ...]]:
    return FrozenDict({key: tuple(sorted(addresses)) for key, addresses in found.items()})


@dataclass(frozen=True)
class LibraryModulesProvider(ElixirModulesProvider):
    pass


@rule(desc="Map Elixir modules to libraries", level=LogLevel.DEBUG)
async def map_library_modules(_: LibraryModulesProvider, all_targets: AllTargets) -> ElixirModules:
    libraries = [t for t in all_targets if t.has_field(ElixirLibrarySourcesField)]
    files = await concurrently(
        read_modules(ElixirFileModulesRequest(t[ElixirLibrarySourcesField]), **implicitly())
        for t in libraries
    )
    providers = defaultdict(set)
    private = defaultdict(set)
    for library, modules in zip(libraries, files):
        folder = library.address.spec_path
        for name in modules.defined:
            # As in every Mix project, what is under test/ is for the tests beside it.
            if modules.paths and all(path.startswith(f"{folder}/test/") for path in modules.paths):
                private[folder, name].add(library.address)
            else:
                providers[name].add(library.address)
    return ElixirModules(_sorted(providers), _sorted(private))


@dataclass(frozen=True)
class AllElixirModulesRequest:
    pass


@dataclass(frozen=True)
class AllElixirModules:
    mappings: tuple[ElixirModules, ...]

    def owners(self, name: str, folder: str) -> tuple[Address, ...]:
        """Who provides the module to a target of the BUILD file in `folder`, the nearest first."""
        for candidate in enclosing_modules(name):
            private = {a for m in self.mappings for a in m.private.get((folder, candidate), ())}
            public = {a for m in self.mappings for a in m.providers.get(candidate, ())}
            if private or public:
                return tuple(sorted(private or public))
        return ()


@rule(desc="Map Elixir modules to targets", level=LogLevel.DEBUG)
async def map_all_modules(
    _: AllElixirModulesRequest, union_membership: UnionMembership
) -> AllElixirModules:
    mappings = await concurrently(
        provide_modules(**implicitly({provider(): ElixirModulesProvider}))
        for provider in union_membership.get(ElixirModulesProvider)
    )
    return AllElixirModules(tuple(mappings))


@dataclass(frozen=True)
class ElixirInferenceFieldSet(FieldSet):
    required_fields = (ElixirFileField, ElixirDependenciesField)

    sources: ElixirFileField
    dependencies: ElixirDependenciesField


class InferElixirDependencies(InferDependenciesRequest):
    infer_from = ElixirInferenceFieldSet


@rule(desc="Infer the dependencies of Elixir files", level=LogLevel.DEBUG)
async def infer_elixir_dependencies(request: InferElixirDependencies) -> InferredDependencies:
    field_set = request.field_set
    everything, own, explicit = await concurrently(
        map_all_modules(AllElixirModulesRequest(), **implicitly()),
        read_modules(ElixirFileModulesRequest(field_set.sources), **implicitly()),
        determine_explicitly_provided_dependencies(
            **implicitly({DependenciesRequest(field_set.dependencies): DependenciesRequest})
        ),
    )
    inferred: set[Address] = set()
    for name in own.mentioned:
        if any(candidate in own.defined for candidate in enclosing_modules(name)):
            continue
        owners = everything.owners(name, field_set.address.spec_path)
        if len(owners) == 1:
            inferred.update(owners)
        elif owners and not explicit.includes.intersection(owners):
            logger.warning(
                f"{field_set.address} names the Elixir module `{name}`, which several targets "
                f"provide: {', '.join(owner.spec for owner in owners)}. No dependency is inferred; "
                f"add the one that is meant to the `dependencies` of {field_set.address}."
            )
    return InferredDependencies(sorted(inferred - {field_set.address}))


def rules() -> list[Any]:
    return [
        *collect_rules(),
        UnionRule(ElixirModulesProvider, LibraryModulesProvider),
        UnionRule(InferDependenciesRequest, InferElixirDependencies),
    ]
