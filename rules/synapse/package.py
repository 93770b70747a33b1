"""`package`: server as a PEX, Elixir client as a Mix package, `.proto` with all it imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.python.target_types import EntryPoint
from pants.backend.python.util_rules.pex import PexRequest
from pants.backend.python.util_rules.pex_from_targets import PexFromTargetsRequest
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
from pants.core.util_rules.archive import ArchiveFormat, CreateArchive
from pants.engine.addresses import Addresses
from pants.engine.fs import MergeDigests
from pants.engine.rules import collect_rules
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from pants_compat import (
    concurrently,
    create_archive,
    create_pex,
    create_pex_from_targets,
    implicitly,
    merge_digests,
    resolve_targets,
    rule,
)
from synapse import names
from synapse.codegen import PlacedCodeRequest, place
from synapse.target_types import SynapseModuleField, SynapseOutputPathField, stem


@dataclass(frozen=True)
class SynapsePackageFieldSet(PackageFieldSet):
    required_fields = (SynapseModuleField, SynapseOutputPathField)

    module: SynapseModuleField
    output_path: SynapseOutputPathField


@rule(desc="Package a Synapse service", level=LogLevel.DEBUG)
async def package_service(field_set: SynapsePackageFieldSet) -> BuiltPackage:
    targets = await resolve_targets(**implicitly({Addresses([field_set.address]): Addresses}))
    (service,) = targets
    pex_path, client_path, proto_path = (
        field_set.output_path.path(ending) for ending in ("pex", "elixir.tar.gz", "proto.tar.gz")
    )
    pex_request, client, definitions = await concurrently(
        create_pex_from_targets(
            PexFromTargetsRequest(
                [field_set.address],
                output_filename=pex_path,
                internal_only=False,
                main=EntryPoint(names.server_module(stem(service))),
            ),
            **implicitly(),
        ),
        place(PlacedCodeRequest(field_set.address, ("elixir/**",), "elixir", ""), **implicitly()),
        place(PlacedCodeRequest(field_set.address, ("proto/**",), "proto", ""), **implicitly()),
    )
    pex, archive, proto = await concurrently(
        create_pex(**implicitly({pex_request: PexRequest})),
        create_archive(
            CreateArchive(client.snapshot, client_path, ArchiveFormat.TGZ), **implicitly()
        ),
        create_archive(
            CreateArchive(definitions.snapshot, proto_path, ArchiveFormat.TGZ), **implicitly()
        ),
    )
    digest = await merge_digests(MergeDigests((pex.digest, archive, proto)))
    return BuiltPackage(
        digest, tuple(BuiltPackageArtifact(path) for path in (pex_path, client_path, proto_path))
    )


def rules() -> list[Any]:
    return [*collect_rules(), UnionRule(PackageFieldSet, SynapsePackageFieldSet)]
