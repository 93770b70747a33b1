"""`elixirc`: each library is compiled once, in a step of its own, for all who depend on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import AddPrefix, CreateDigest, Digest, Directory, MergeDigests, RemovePrefix
from pants.engine.process import FallibleProcessResult, Process
from pants.engine.rules import collect_rules
from pants.engine.target import FieldSet, SourcesField, TransitiveTargetsRequest
from pants.engine.unions import UnionMembership, UnionRule
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

from elixir.target_types import ElixirLibrarySourcesField
from elixir.toolchain import ElixirToolchain
from pants_compat import (
    add_prefix,
    concurrently,
    create_digest,
    determine_source_files,
    execute_process,
    implicitly,
    merge_digests,
    remove_prefix,
    resolve_targets,
    rule,
    transitive_targets,
)

_EBINS = "__ebin__"  # has the `.beam` files of each library in a folder of its own
_OUT = "__out__"


class Elixirc(Subsystem):
    options_scope = "elixirc"
    name = "elixirc"
    help = "The Elixir compiler, with warnings as errors."

    skip = SkipOption("check")


@dataclass(frozen=True)
class ElixirClosureRequest:
    roots: Addresses


@dataclass(frozen=True)
class ElixirClosure:
    """The libraries among some targets and all that they depend on."""

    libraries: tuple[Address, ...]


@rule(desc="Find Elixir libraries", level=LogLevel.DEBUG)
async def find_libraries(
    request: ElixirClosureRequest, union_membership: UnionMembership
) -> ElixirClosure:
    closure = await transitive_targets(TransitiveTargetsRequest(request.roots), **implicitly())

    def is_library(sources: SourcesField) -> bool:
        return isinstance(sources, ElixirLibrarySourcesField) or sources.can_generate(
            ElixirLibrarySourcesField, union_membership
        )

    return ElixirClosure(
        tuple(sorted(t.address for t in closure.closure if is_library(t.get(SourcesField))))
    )


@dataclass(frozen=True)
class ElixirLibraryRequest:
    """Compile one library. `dependencies` holds what it needs, compiled, in the folders `ebins`."""

    library: Address
    dependencies: Digest
    ebins: tuple[str, ...]


@dataclass(frozen=True)
class CompiledLibrary:
    """What the compiler said, and the `.beam` files in the folder `ebin`, the library's own."""

    library: Address
    result: FallibleProcessResult
    digest: Digest
    ebin: str

    @property
    def succeeded(self) -> bool:
        return self.result.exit_code == 0


@rule(desc="Compile an Elixir library", level=LogLevel.DEBUG)
async def compile_library(
    request: ElixirLibraryRequest, toolchain: ElixirToolchain
) -> CompiledLibrary:
    targets, output = await concurrently(
        resolve_targets(**implicitly({Addresses([request.library]): Addresses})),
        create_digest(CreateDigest([Directory(_OUT)])),
    )
    sources = await determine_source_files(
        SourceFilesRequest(
            [target.get(SourcesField) for target in targets],
            for_sources_types=(ElixirLibrarySourcesField,),
            enable_codegen=True,
        )
    )
    files = sources.snapshot.files
    inputs = await merge_digests(
        MergeDigests((sources.snapshot.digest, request.dependencies, output))
    )
    paths = [flag for ebin in request.ebins for flag in ("-pa", ebin)]
    result = await execute_process(
        Process(
            argv=((toolchain.elixirc, *paths, "-o", _OUT, *files) if files else ("/bin/true",)),
            input_digest=inputs,
            output_directories=(_OUT,),
            env=toolchain.env,
            description=f"Compile {pluralize(len(files), 'Elixir file')} of {request.library}",
        ),
        **implicitly(),
    )
    ebin = f"{_EBINS}/{request.library.path_safe_spec}"
    beams = await remove_prefix(RemovePrefix(result.output_digest, _OUT))
    digest = await add_prefix(AddPrefix(beams, ebin))
    return CompiledLibrary(request.library, result, digest, ebin)


@dataclass(frozen=True)
class CompileElixirRequest:
    roots: Addresses


@dataclass(frozen=True)
class CompiledElixir:
    """The compiled libraries, dependencies first. If one fails, those that need it are left out."""

    libraries: tuple[CompiledLibrary, ...]
    digest: Digest

    @property
    def failure(self) -> FallibleProcessResult | None:
        return next((each.result for each in self.libraries if not each.succeeded), None)

    @property
    def ebins(self) -> tuple[str, ...]:
        return tuple(each.ebin for each in self.libraries)


@rule(desc="Compile Elixir", level=LogLevel.DEBUG)
async def compile_elixir(request: CompileElixirRequest) -> CompiledElixir:
    found = await find_libraries(ElixirClosureRequest(request.roots), **implicitly())
    closures = await concurrently(
        find_libraries(ElixirClosureRequest(Addresses([library])), **implicitly())
        for library in found.libraries
    )
    # A library's closure is larger than that of anything it depends on, so ordering by size puts
    # dependencies first, and libraries of equal size can be compiled at once.
    needs = {
        library: [each for each in closure.libraries if each != library]
        for library, closure in zip(found.libraries, closures)
    }
    compiled: dict[Address, CompiledLibrary] = {}
    for _, level in groupby(sorted(needs, key=lambda a: len(needs[a])), lambda a: len(needs[a])):
        ready = [
            (library, [compiled[each] for each in needs[library]])
            for library in level
            if all(each in compiled and compiled[each].succeeded for each in needs[library])
        ]
        digests = await concurrently(
            merge_digests(MergeDigests(each.digest for each in dependencies))
            for _, dependencies in ready
        )
        done = await concurrently(
            compile_library(
                ElixirLibraryRequest(library, digest, tuple(each.ebin for each in dependencies)),
                **implicitly(),
            )
            for (library, dependencies), digest in zip(ready, digests)
        )
        compiled.update({each.library: each for each in done})
    digest = await merge_digests(MergeDigests(each.digest for each in compiled.values()))
    return CompiledElixir(tuple(compiled.values()), digest)


def check_results(libraries: Iterable[CompiledLibrary], checker_name: str) -> CheckResults:
    """What the compiler said, as errors.

    It is silent about clean code. So the same cached compilation serves `test`, `run` and `check`,
    and only here is something said an error.
    """
    return CheckResults(
        [
            CheckResult(
                exit_code=each.result.exit_code
                or int(bool(each.result.stdout.strip() or each.result.stderr.strip())),
                stdout=each.result.stdout.decode(errors="replace"),
                stderr=each.result.stderr.decode(errors="replace"),
                partition_description=each.library.spec,
            )
            for each in libraries
        ],
        checker_name=checker_name,
    )


@dataclass(frozen=True)
class ElixircFieldSet(FieldSet):
    required_fields = (ElixirLibrarySourcesField,)

    sources: ElixirLibrarySourcesField


class ElixircRequest(CheckRequest):
    field_set_type = ElixircFieldSet
    tool_name = Elixirc.options_scope


@rule(desc="Compile Elixir with warnings as errors", level=LogLevel.DEBUG)
async def check_elixir(request: ElixircRequest, subsystem: Elixirc) -> CheckResults:
    if subsystem.skip:
        return CheckResults([], checker_name=request.tool_name)
    roots = Addresses(field_set.address for field_set in request.field_sets)
    build = await compile_elixir(CompileElixirRequest(roots), **implicitly())
    return check_results(build.libraries, request.tool_name)


def rules() -> list[Any]:
    return [*collect_rules(), UnionRule(CheckRequest, ElixircRequest)]
