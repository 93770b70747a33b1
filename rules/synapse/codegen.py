"""Contract and code of a service: introspection, then generation, each a cached step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pants.backend.python.target_types import PythonSourceField
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import (
    AddPrefix,
    Digest,
    DigestSubset,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
    Snapshot,
)
from pants.engine.rules import collect_rules
from pants.engine.target import (
    GeneratedSources,
    GenerateSourcesRequest,
    Target,
    TransitiveTargetsRequest,
)
from pants.engine.unions import UnionRule
from pants.source.source_root import SourceRootRequest
from pants.util.logging import LogLevel

from elixir.target_types import ElixirLibrarySourcesField
from pants_compat import (
    add_prefix,
    concurrently,
    determine_source_files,
    digest_subset_to_digest,
    digest_to_snapshot,
    get_source_root,
    implicitly,
    merge_digests,
    path_globs_to_digest,
    remove_prefix,
    resolve_targets,
    resolve_unparsed_address_inputs,
    rule,
    transitive_targets,
)
from synapse import names
from synapse.subsystem import Synapse
from synapse.target_types import (
    SynapseAgentsField,
    SynapseArtefactsField,
    SynapseConfigField,
    SynapseDepsFactoryField,
    SynapseFunctionsField,
    SynapseLockField,
    SynapseModelsField,
    SynapseModuleField,
    SynapseToolsField,
    elixir_module,
    stem,
)
from synapse.tool import ToolRequest, run_tool

CONTRACT = "contract.json"
_OUT = "out"


@dataclass(frozen=True)
class SelectionRequest:
    service: Address


@dataclass(frozen=True)
class Selection:
    """What the tool needs to import a service: the targets, its arguments, and their files."""

    roots: Addresses
    arguments: tuple[str, ...]
    config: Digest


@rule(desc="Select what a Synapse service is made of", level=LogLevel.DEBUG)
async def select(request: SelectionRequest, synapse: Synapse) -> Selection:
    tool, closure = await concurrently(
        resolve_unparsed_address_inputs(synapse.tool_addresses, **implicitly()),
        transitive_targets(TransitiveTargetsRequest([request.service]), **implicitly()),
    )
    (service,) = closure.roots
    config = await determine_source_files(SourceFilesRequest([service[SynapseConfigField]]))
    return Selection(
        # Not the service itself: its own sources are what is about to be generated.
        roots=Addresses(sorted({*tool, *(t.address for t in closure.dependencies)})),
        arguments=(
            *_options("--module", (service[SynapseModuleField].value,)),
            *_options("--agent", service[SynapseAgentsField].value),
            *_options("--deps-factory", (service[SynapseDepsFactoryField].value,)),
            *_options("--model", service[SynapseModelsField].value),
            *(("--expose-tools",) if service[SynapseToolsField].value else ()),
            *_options("--function", service[SynapseFunctionsField].value),
            "--elixir-module",
            elixir_module(service),
            *_options("--config", config.files),
        ),
        config=config.snapshot.digest,
    )


def _options(name: str, values: Iterable[str | None] | None) -> tuple[str, ...]:
    """An option for each value that there is."""
    return tuple(part for value in values or () if value for part in (name, value))


@dataclass(frozen=True)
class LockFileRequest:
    service: Address


@dataclass(frozen=True)
class LockFile:
    """Where a service's lock is, or would be."""

    path: str
    exists: bool
    digest: Digest


@rule(desc="Find the lock of a Synapse service", level=LogLevel.DEBUG)
async def lock_file(request: LockFileRequest) -> LockFile:
    targets = await resolve_targets(**implicitly({Addresses([request.service]): Addresses}))
    (service,) = targets
    path = service[SynapseLockField].path
    digest = await path_globs_to_digest(PathGlobs([path]))
    snapshot = await digest_to_snapshot(digest)
    return LockFile(path, bool(snapshot.files), digest)


@dataclass(frozen=True)
class ContractRequest:
    service: Address


@dataclass(frozen=True)
class Contract:
    """The contract of a service, in the file `contract.json`."""

    digest: Digest


@rule(desc="Introspect a Synapse service", level=LogLevel.DEBUG)
async def introspect(request: ContractRequest) -> Contract:
    selection, lock = await concurrently(
        select(SelectionRequest(request.service), **implicitly()),
        lock_file(LockFileRequest(request.service), **implicitly()),
    )
    inputs = await merge_digests(MergeDigests((selection.config, lock.digest)))
    output = await run_tool(
        ToolRequest(
            roots=selection.roots,
            arguments=(
                "inspect",
                *selection.arguments,
                *(("--lock", lock.path) if lock.exists else ()),
                "--json",
                "--output",
                CONTRACT,
            ),
            inputs=inputs,
            description=f"Introspect {request.service}",
            output_files=(CONTRACT,),
        ),
        **implicitly(),
    )
    return Contract(output.digest)


@dataclass(frozen=True)
class GeneratedCodeRequest:
    service: Address


@dataclass(frozen=True)
class GeneratedCode:
    """All that is generated from a service: `contract.json`, `proto/`, `python/`, `elixir/`."""

    snapshot: Snapshot


@rule(desc="Generate the code of a Synapse service", level=LogLevel.DEBUG)
async def generate(request: GeneratedCodeRequest, synapse: Synapse) -> GeneratedCode:
    contract, tool, targets = await concurrently(
        introspect(ContractRequest(request.service), **implicitly()),
        resolve_unparsed_address_inputs(synapse.tool_addresses, **implicitly()),
        resolve_targets(**implicitly({Addresses([request.service]): Addresses})),
    )
    output = await run_tool(
        ToolRequest(
            roots=tool,
            arguments=("generate", "--contract", CONTRACT, "--out", _OUT),
            inputs=contract.digest,
            description=f"Generate the code of {request.service}",
            output_directories=(_OUT,),
        ),
        **implicitly(),
    )
    stripped = await remove_prefix(RemovePrefix(output.digest, _OUT))
    snapshot = await digest_to_snapshot(stripped)
    (service,) = targets
    missing = {f"python/{module}.py" for module in names.python_modules(stem(service))}.difference(
        snapshot.files
    )
    if missing:
        raise Exception(
            f"The code generated for {request.service} lacks {', '.join(sorted(missing))}, which "
            f"dependency inference relies on. It has: {', '.join(snapshot.files)}."
        )
    return GeneratedCode(snapshot)


@dataclass(frozen=True)
class PlacedCodeRequest:
    """Of the code generated from a service, the files under `prefix`, moved to `destination`."""

    service: Address
    globs: tuple[str, ...]
    prefix: str
    destination: str


@dataclass(frozen=True)
class PlacedCode:
    snapshot: Snapshot


@rule(desc="Place generated code", level=LogLevel.DEBUG)
async def place(request: PlacedCodeRequest) -> PlacedCode:
    code = await generate(GeneratedCodeRequest(request.service), **implicitly())
    chosen = await digest_subset_to_digest(
        DigestSubset(code.snapshot.digest, PathGlobs(request.globs))
    )
    stripped = await remove_prefix(RemovePrefix(chosen, request.prefix))
    placed = await add_prefix(AddPrefix(stripped, request.destination))
    return PlacedCode(await digest_to_snapshot(placed))


def folder(service: Target) -> str:
    """Where, in the repository's layout, generated code that is not Python belongs."""
    return "/".join(part for part in (service.address.spec_path, stem(service)) if part)


class GenerateSynapsePython(GenerateSourcesRequest):
    input = SynapseConfigField
    output = PythonSourceField


@rule(desc="Generate the Python server of a Synapse service", level=LogLevel.DEBUG)
async def generate_python(request: GenerateSynapsePython) -> GeneratedSources:
    address = request.protocol_target.address
    root = await get_source_root(SourceRootRequest.for_address(address), **implicitly())
    code = await place(
        PlacedCodeRequest(address, ("python/**",), "python", root.path), **implicitly()
    )
    return GeneratedSources(code.snapshot)


class GenerateSynapseElixir(GenerateSourcesRequest):
    input = SynapseConfigField
    output = ElixirLibrarySourcesField


@rule(desc="Generate the Elixir client of a Synapse service", level=LogLevel.DEBUG)
async def generate_elixir(request: GenerateSynapseElixir) -> GeneratedSources:
    target = request.protocol_target
    code = await place(
        PlacedCodeRequest(target.address, ("elixir/lib/**",), "", folder(target)), **implicitly()
    )
    return GeneratedSources(code.snapshot)


class GenerateSynapseArtefacts(GenerateSourcesRequest):
    input = SynapseConfigField
    output = SynapseArtefactsField


@rule(desc="Generate the contract and definition of a Synapse service", level=LogLevel.DEBUG)
async def generate_artefacts(request: GenerateSynapseArtefacts) -> GeneratedSources:
    target = request.protocol_target
    code = await place(
        PlacedCodeRequest(
            target.address, ("**", "!python/**", "!elixir/lib/**"), "", folder(target)
        ),
        **implicitly(),
    )
    return GeneratedSources(code.snapshot)


def rules() -> list[Any]:
    return [
        *collect_rules(),
        UnionRule(GenerateSourcesRequest, GenerateSynapsePython),
        UnionRule(GenerateSourcesRequest, GenerateSynapseElixir),
        UnionRule(GenerateSourcesRequest, GenerateSynapseArtefacts),
    ]
