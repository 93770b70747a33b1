"""`lint`, `fix` and `fmt` for Python: `ruff check`, `ruff check --fix` and `ruff format`.

Pants 2.17 has a Ruff backend for releases before `ruff check`, and current Pants one that does what
this does. So this takes its options from Pants' own `[ruff]` subsystem, and goes with 2.17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.python.lint.ruff.subsystem import Ruff
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.pex import PexRequest, VenvPexProcess
from pants.core.goals.fix import FixResult, FixTargetsRequest
from pants.core.goals.fmt import FmtResult, FmtTargetsRequest
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.fs import MergeDigests, Snapshot
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import collect_rules
from pants.engine.target import FieldSet
from pants.util.logging import LogLevel
from pants.util.meta import classproperty
from pants.util.strutil import pluralize

from pants_compat import (
    concurrently,
    create_venv_pex,
    determine_source_files,
    execute_process,
    find_config_file,
    implicitly,
    merge_digests,
    rule,
    setup_venv_pex_process,
)


@dataclass(frozen=True)
class RuffFieldSet(FieldSet):
    required_fields = (PythonSourceField,)

    source: PythonSourceField


class RuffFixRequest(FixTargetsRequest):
    tool_subsystem = Ruff  # type: ignore[assignment] # narrower than the base class declares
    field_set_type = RuffFieldSet
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION
    # Fixing writes over what the linter reports; without it, `lint` would do both.
    enable_lint_rules = False

    @classproperty
    def tool_name(cls) -> str:
        return "ruff check --fix"


class RuffFormatRequest(FmtTargetsRequest):
    tool_subsystem = Ruff  # type: ignore[assignment] # narrower than the base class declares
    field_set_type = RuffFieldSet
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff format"


class RuffLintRequest(LintTargetsRequest):
    tool_subsystem = Ruff  # type: ignore[assignment] # narrower than the base class declares
    field_set_type = RuffFieldSet
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff check"


@dataclass(frozen=True)
class RuffRun:
    snapshot: Snapshot
    command: tuple[str, ...]


@dataclass(frozen=True)
class RuffOutcome:
    result: FallibleProcessResult


@rule(desc="Run Ruff", level=LogLevel.DEBUG)
async def run_ruff(request: RuffRun, ruff: Ruff) -> RuffOutcome:
    pex, config = await concurrently(
        create_venv_pex(**implicitly({ruff.to_pex_request(): PexRequest})),
        find_config_file(ruff.config_request(request.snapshot.dirs)),
    )
    inputs = await merge_digests(MergeDigests((request.snapshot.digest, config.snapshot.digest)))
    files = request.snapshot.files
    process = await setup_venv_pex_process(
        VenvPexProcess(
            pex,
            argv=(*request.command, "--no-cache", *ruff.args, *files),
            input_digest=inputs,
            output_files=files,
            description=f"Run ruff {request.command[0]} on {pluralize(len(files), 'file')}",
            level=LogLevel.DEBUG,
        ),
        **implicitly(),
    )
    return RuffOutcome(await execute_process(process, **implicitly()))


@rule(desc="Fix with Ruff", level=LogLevel.DEBUG)
async def fix_with_ruff(request: RuffFixRequest.Batch) -> FixResult:
    command = ("check", "--fix", "--exit-zero")
    outcome = await run_ruff(RuffRun(request.snapshot, command), **implicitly())
    return await FixResult.create(request, outcome.result)


@rule(desc="Format with Ruff", level=LogLevel.DEBUG)
async def format_with_ruff(request: RuffFormatRequest.Batch) -> FmtResult:
    outcome = await run_ruff(RuffRun(request.snapshot, ("format",)), **implicitly())
    return await FmtResult.create(request, outcome.result)


@rule(desc="Lint with Ruff", level=LogLevel.DEBUG)
async def lint_with_ruff(request: RuffLintRequest.Batch[RuffFieldSet, Any]) -> LintResult:
    sources = await determine_source_files(
        SourceFilesRequest(field_set.source for field_set in request.elements)
    )
    outcome = await run_ruff(
        RuffRun(sources.snapshot, ("check", "--output-format=concise")), **implicitly()
    )
    return LintResult.create(request, outcome.result)


def rules() -> list[Any]:
    return [
        *collect_rules(),
        *RuffFixRequest.rules(),
        *RuffFormatRequest.rules(),
        *RuffLintRequest.rules(),
    ]
