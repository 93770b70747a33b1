"""`test`: ExUnit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.core.goals.test import (
    TestExtraEnv,
    TestFieldSet,
    TestRequest,
    TestResult,
    TestSubsystem,
)
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.env_vars import EnvironmentVarsRequest
from pants.engine.process import Process, ProcessCacheScope
from pants.engine.rules import collect_rules
from pants.option.global_options import GlobalOptions
from pants.option.option_types import ArgsListOption, SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from elixir.program import ElixirProgramRequest, assemble_program
from elixir.target_types import (
    ElixirDependenciesField,
    ExUnitExtraEnvVarsField,
    ExUnitSourcesField,
    ExUnitTimeoutField,
)
from elixir.toolchain import ElixirToolchain
from pants_compat import (
    concurrently,
    determine_source_files,
    digest_to_snapshot,
    environment_vars_subset,
    execute_process,
    implicitly,
    rule,
    test_result,
)


class ExUnit(Subsystem):
    options_scope = "exunit"
    name = "ExUnit"
    help = "The ExUnit test runner."

    skip = SkipOption("test")
    args = ArgsListOption(
        example="--trace --only slow --seed 0",
        passthrough=True,
        extra_help=(
            "Understood are `--trace`, `--seed N`, `--timeout MS`, `--max-failures N`, and "
            "`--only`, `--include` and `--exclude` with a tag, as for `mix test`."
        ),
    )


@dataclass(frozen=True)
class ExUnitFieldSet(TestFieldSet):
    required_fields = (ExUnitSourcesField,)

    sources: ExUnitSourcesField
    dependencies: ElixirDependenciesField
    timeout: ExUnitTimeoutField
    extra_env_vars: ExUnitExtraEnvVarsField


class ExUnitRequest(TestRequest):
    tool_subsystem = ExUnit  # type: ignore[assignment] # narrower than the base class declares
    field_set_type = ExUnitFieldSet


@rule(desc="Run ExUnit", level=LogLevel.DEBUG)
async def run_exunit(
    batch: ExUnitRequest.Batch[ExUnitFieldSet, Any],
    exunit: ExUnit,
    test_subsystem: TestSubsystem,
    test_extra_env: TestExtraEnv,
    global_options: GlobalOptions,
    toolchain: ElixirToolchain,
) -> TestResult:
    field_set = batch.single_element
    program, tests, extra_env = await concurrently(
        assemble_program(ElixirProgramRequest(field_set.address, "exunit.exs"), **implicitly()),
        determine_source_files(SourceFilesRequest([field_set.sources])),
        environment_vars_subset(
            EnvironmentVarsRequest(field_set.extra_env_vars.value or ()), **implicitly()
        ),
    )
    if program.failure:
        return test_result(program.failure, field_set.address, test_subsystem.output)
    report = f"{field_set.address.path_safe_spec}.xml"
    result = await execute_process(
        Process(
            argv=(
                *program.argv,
                "--report",
                f"{{chroot}}/{report}",
                "--folder",
                f"{{chroot}}/{field_set.address.spec_path}",
                "--colors" if global_options.colors else "--no-colors",
                *exunit.args,
                "--",
                *(f"{{chroot}}/{file}" for file in tests.snapshot.files),
            ),
            input_digest=program.digest,
            output_files=(report,),
            env={**test_extra_env.env, **extra_env, **program.env, **toolchain.env},
            append_only_caches=program.append_only_caches,
            description=f"Run ExUnit on {field_set.address}",
            timeout_seconds=field_set.timeout.calculate_from_global_options(test_subsystem),
            cache_scope=(
                ProcessCacheScope.PER_SESSION
                if test_subsystem.force
                else ProcessCacheScope.SUCCESSFUL
            ),
        ),
        **implicitly(),
    )
    reports = await digest_to_snapshot(result.output_digest)
    return test_result(result, field_set.address, test_subsystem.output, xml_results=reports)


def rules() -> list[Any]:
    return [*collect_rules(), *ExUnitRequest.rules()]
