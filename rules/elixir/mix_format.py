"""`fmt` and `lint`: `mix format`."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pants.core.goals.fmt import FmtResult, FmtTargetsRequest
from pants.core.util_rules.config_files import ConfigFilesRequest
from pants.core.util_rules.partitions import Partition, PartitionerType, Partitions
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.fs import MergeDigests
from pants.engine.process import Process
from pants.engine.rules import collect_rules
from pants.engine.target import FieldSet
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

from elixir.target_types import ElixirFileField
from elixir.toolchain import ElixirToolchain
from pants_compat import (
    determine_source_files,
    execute_process_or_raise,
    find_config_file,
    implicitly,
    merge_digests,
    rule,
)

_CONFIG = ".formatter.exs"


class MixFormat(Subsystem):
    options_scope = "mix-format"
    name = "mix format"
    help = f"The Elixir formatter. Each file is formatted as the nearest `{_CONFIG}` says."

    skip = SkipOption("fmt", "lint")


@dataclass(frozen=True)
class MixFormatFieldSet(FieldSet):
    required_fields = (ElixirFileField,)

    sources: ElixirFileField


class MixFormatRequest(FmtTargetsRequest):
    tool_subsystem = MixFormat  # type: ignore[assignment] # narrower than the base class declares
    field_set_type = MixFormatFieldSet
    partitioner_type = PartitionerType.CUSTOM


@dataclass(frozen=True)
class FormatterConfig:
    """The path of the `.formatter.exs` that a partition shares; empty for Elixir's defaults."""

    path: str

    @property
    def description(self) -> str | None:
        return self.path or None


def _nearest(path: str, configs: frozenset[str]) -> str:
    folder = os.path.dirname(path)
    while True:
        config = os.path.join(folder, _CONFIG)
        if config in configs:
            return config
        if not folder:
            return ""
        folder = os.path.dirname(folder)


def _candidates(folders: tuple[str, ...]) -> list[str]:
    """A `.formatter.exs` in any of the folders, or above."""
    above = {folder for each in folders for folder in _with_parents(each)}
    return sorted(os.path.join(folder, _CONFIG) for folder in above)


def _with_parents(folder: str) -> set[str]:
    parts = folder.split("/") if folder else []
    return {"/".join(parts[:length]) for length in range(len(parts) + 1)}


@rule(desc="Partition for mix format", level=LogLevel.DEBUG)
async def partition_for_mix_format(
    request: MixFormatRequest.PartitionRequest[Any], subsystem: MixFormat
) -> Partitions[Any, FormatterConfig]:
    if subsystem.skip:
        return Partitions()
    sources = await determine_source_files(
        SourceFilesRequest(field_set.sources for field_set in request.field_sets)
    )
    found = await find_config_file(
        ConfigFilesRequest(discovery=True, check_existence=_candidates(sources.snapshot.dirs))
    )
    configs = frozenset(found.snapshot.files)
    files = defaultdict(list)
    for path in sources.snapshot.files:
        files[_nearest(path, configs)].append(path)
    return Partitions(
        Partition(tuple(paths), FormatterConfig(config)) for config, paths in files.items()
    )


@rule(desc="Format with mix format", level=LogLevel.DEBUG)
async def mix_format(request: MixFormatRequest.Batch, toolchain: ElixirToolchain) -> FmtResult:
    config = request.partition_metadata.path
    found = await find_config_file(
        ConfigFilesRequest(discovery=True, check_existence=[config] if config else [])
    )
    inputs = await merge_digests(MergeDigests((request.snapshot.digest, found.snapshot.digest)))
    result = await execute_process_or_raise(
        **implicitly(
            Process(
                argv=(
                    toolchain.mix,
                    "format",
                    *(("--dot-formatter", config) if config else ()),
                    *request.files,
                ),
                input_digest=inputs,
                output_files=request.files,
                env=toolchain.env,
                description=f"Run mix format on {pluralize(len(request.files), 'file')}",
                level=LogLevel.DEBUG,
            )
        )
    )
    return await FmtResult.create(request, result)


def rules() -> list[Any]:
    return [*collect_rules(), *MixFormatRequest.rules()]
