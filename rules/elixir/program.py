"""What it takes to run Elixir files: compiled libraries, files, and the servers they talk to."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import Any

from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import CreateDigest, Digest, FileContent, MergeDigests
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import collect_rules
from pants.engine.target import SourcesField, TransitiveTargetsRequest
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from elixir.compiler import CompileElixirRequest, compile_elixir
from elixir.servers import ServersRequest, prepare_servers
from elixir.target_types import ElixirFileField, ElixirLibrarySourcesField
from elixir.toolchain import ElixirToolchain
from pants_compat import (
    concurrently,
    create_digest,
    determine_source_files,
    implicitly,
    merge_digests,
    rule,
    transitive_targets,
)

HARNESS = "__harness__"
_HARNESS_FILES = ("exunit.exs", "junit.exs", "script.exs", "servers.exs")


@dataclass(frozen=True)
class ElixirProgramRequest:
    """Run the harness file `main`, which gets `root`'s files ready to run."""

    root: Address
    main: str


@dataclass(frozen=True)
class ElixirProgram:
    """A command whose paths hold `{chroot}`, and what the sandbox must have in it.

    If a library does not compile, `failure` is what the compiler said, and the rest is of no use.
    """

    argv: tuple[str, ...]
    env: FrozenDict[str, str]
    append_only_caches: FrozenDict[str, str]
    digest: Digest
    failure: FallibleProcessResult | None


def _harness_file(name: str) -> bytes:
    content = pkgutil.get_data("elixir", f"harness/{name}")
    assert content is not None
    return content


@rule(desc="Assemble an Elixir program", level=LogLevel.DEBUG)
async def assemble_program(
    request: ElixirProgramRequest, toolchain: ElixirToolchain, union_membership: UnionMembership
) -> ElixirProgram:
    closure, build, harness = await concurrently(
        transitive_targets(TransitiveTargetsRequest([request.root]), **implicitly()),
        compile_elixir(CompileElixirRequest(Addresses([request.root])), **implicitly()),
        create_digest(
            CreateDigest(
                FileContent(f"{HARNESS}/{name}", _harness_file(name)) for name in _HARNESS_FILES
            )
        ),
    )
    server_requests = [
        member(Addresses(sorted(services)))
        for member in union_membership.get(ServersRequest)
        for services in [[t.address for t in closure.closure if member.is_service(t)]]
        if services
    ]
    all_servers = await concurrently(
        prepare_servers(**implicitly({each: ServersRequest})) for each in server_requests
    )
    # Scripts and tests among the dependencies are files as well, but libraries are compiled.
    files = await determine_source_files(
        SourceFilesRequest(
            [
                t.get(SourcesField)
                for t in closure.closure
                if not t.has_field(ElixirLibrarySourcesField)
            ],
            for_sources_types=(ElixirFileField, FileSourceField, ResourceSourceField),
        )
    )
    digest = await merge_digests(
        MergeDigests(
            (harness, build.digest, files.snapshot.digest, *(each.digest for each in all_servers))
        )
    )
    server_arguments = [
        argument
        for servers in all_servers
        for client, server in servers.clients
        for argument in ("--server", f"{client}={' '.join((*servers.command, server))}")
    ]
    return ElixirProgram(
        argv=(
            toolchain.elixir,
            "--erl",
            "+Bd",  # an interrupt ends the VM, instead of asking what to do
            *(flag for ebin in build.ebins for flag in ("-pa", f"{{chroot}}/{ebin}")),
            f"{{chroot}}/{HARNESS}/{request.main}",
            *server_arguments,
        ),
        env=FrozenDict({name: value for each in all_servers for name, value in each.env.items()}),
        append_only_caches=FrozenDict(
            {name: path for each in all_servers for name, path in each.append_only_caches.items()}
        ),
        digest=digest,
        failure=build.failure,
    )


def rules() -> list[Any]:
    return [*collect_rules()]
