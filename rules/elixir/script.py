"""`run`: an Elixir program, with the servers it talks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.engine.rules import collect_rules
from pants.util.logging import LogLevel

from elixir.program import ElixirProgramRequest, assemble_program
from elixir.target_types import ElixirScriptSourceField
from elixir.toolchain import ElixirToolchain
from pants_compat import concurrently, determine_source_files, implicitly, rule


@dataclass(frozen=True)
class ElixirScriptFieldSet(RunFieldSet):
    required_fields = (ElixirScriptSourceField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    source: ElixirScriptSourceField


@rule(desc="Run an Elixir script", level=LogLevel.DEBUG)
async def run_script(field_set: ElixirScriptFieldSet, toolchain: ElixirToolchain) -> RunRequest:
    program, script = await concurrently(
        assemble_program(ElixirProgramRequest(field_set.address, "script.exs"), **implicitly()),
        determine_source_files(SourceFilesRequest([field_set.source])),
    )
    if program.failure:
        raise Exception(
            f"{field_set.address} cannot run, as a library it depends on does not compile:\n\n"
            f"{(program.failure.stdout + program.failure.stderr).decode(errors='replace')}"
        )
    (path,) = script.snapshot.files
    return RunRequest(
        digest=program.digest,
        args=(*program.argv, "--", f"{{chroot}}/{path}"),
        extra_env={
            **program.env,
            "PATH": toolchain.env["PATH"],
            "LANG": toolchain.env["LANG"],
        },
        append_only_caches=program.append_only_caches,
    )


def rules() -> list[Any]:
    return [*collect_rules(), *ElixirScriptFieldSet.rules()]
