"""`package`: a Mix project as a tarball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.core.goals.package import (
    BuiltPackage,
    BuiltPackageArtifact,
    PackageFieldSet,
)
from pants.core.util_rules.archive import ArchiveFormat, CreateArchive
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.fs import RemovePrefix
from pants.engine.rules import collect_rules
from pants.engine.target import TransitiveTargetsRequest
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from elixir.target_types import (
    ElixirLibrarySourcesField,
    MixPackageFilesField,
    MixPackageOutputPathField,
    MixProjectSourcesField,
)
from pants_compat import (
    create_archive,
    determine_source_files,
    digest_to_snapshot,
    implicitly,
    remove_prefix,
    rule,
    transitive_targets,
)


@dataclass(frozen=True)
class MixPackageFieldSet(PackageFieldSet):
    required_fields = (MixProjectSourcesField, MixPackageFilesField)

    project: MixProjectSourcesField
    files: MixPackageFilesField
    output_path: MixPackageOutputPathField


@rule(desc="Package a Mix project", level=LogLevel.DEBUG)
async def package_mix_project(field_set: MixPackageFieldSet) -> BuiltPackage:
    closure = await transitive_targets(
        TransitiveTargetsRequest([field_set.address]), **implicitly()
    )
    libraries = [
        t[ElixirLibrarySourcesField]
        for t in closure.dependencies
        if t.has_field(ElixirLibrarySourcesField)
    ]
    sources = await determine_source_files(
        SourceFilesRequest([field_set.project, field_set.files, *libraries])
    )
    folder = field_set.address.spec_path
    stripped = await remove_prefix(RemovePrefix(sources.snapshot.digest, folder))
    snapshot = await digest_to_snapshot(stripped)
    path = field_set.output_path.value_or_default(file_ending="tar.gz")
    archive = await create_archive(CreateArchive(snapshot, path, ArchiveFormat.TGZ), **implicitly())
    return BuiltPackage(archive, (BuiltPackageArtifact(path),))


def rules() -> list[Any]:
    return [*collect_rules(), UnionRule(PackageFieldSet, MixPackageFieldSet)]
