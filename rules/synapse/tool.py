"""`python -m synapse_bridge` in a sandbox, on the sources and requirements of some targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_from_targets import PexFromTargetsRequest
from pants.backend.python.util_rules.python_sources import PythonSourceFilesRequest
from pants.engine.addresses import Addresses
from pants.engine.fs import Digest, MergeDigests
from pants.engine.process import FallibleProcessResult, Process
from pants.engine.rules import collect_rules
from pants.engine.target import TransitiveTargetsRequest
from pants.util.logging import LogLevel

from pants_compat import (
    concurrently,
    create_pex_from_targets,
    create_venv_pex,
    execute_process,
    execute_process_or_raise,
    implicitly,
    merge_digests,
    prepare_python_sources,
    rule,
    setup_venv_pex_process,
    transitive_targets,
)


@dataclass(frozen=True)
class PythonEnvironmentRequest:
    roots: Addresses


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment with the requirements of some targets, and their sources beside it.

    Sources are not part of the environment, so that editing them never builds it again.
    """

    venv: VenvPex
    sources: Digest
    source_roots: tuple[str, ...]


@rule(desc="Build a Python environment", level=LogLevel.DEBUG)
async def build_environment(request: PythonEnvironmentRequest) -> PythonEnvironment:
    closure = await transitive_targets(TransitiveTargetsRequest(request.roots), **implicitly())
    pex_request, sources = await concurrently(
        create_pex_from_targets(
            PexFromTargetsRequest(
                request.roots,
                output_filename="environment.pex",
                internal_only=True,
                include_source_files=False,
            ),
            **implicitly(),
        ),
        prepare_python_sources(
            PythonSourceFilesRequest(closure.closure, include_files=True), **implicitly()
        ),
    )
    venv = await create_venv_pex(**implicitly({pex_request: PexRequest}))
    return PythonEnvironment(
        venv, sources.source_files.snapshot.digest, tuple(sources.source_roots)
    )


@dataclass(frozen=True)
class ToolRequest:
    """Run the tool with `arguments`, next to the sources of `roots` and the files of `inputs`."""

    roots: Addresses
    arguments: tuple[str, ...]
    inputs: Digest
    description: str
    output_files: tuple[str, ...] = ()
    output_directories: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolProcess:
    process: Process


@rule(desc="Prepare synapse_bridge", level=LogLevel.DEBUG)
async def prepare_tool(request: ToolRequest) -> ToolProcess:
    environment = await build_environment(PythonEnvironmentRequest(request.roots), **implicitly())
    inputs = await merge_digests(MergeDigests((environment.sources, request.inputs)))
    process = await setup_venv_pex_process(
        VenvPexProcess(
            environment.venv,
            argv=("-m", "synapse_bridge", *request.arguments),
            input_digest=inputs,
            extra_env={
                "PEX_EXTRA_SYS_PATH": ":".join(environment.source_roots),
                "PYTHONUTF8": "1",
            },
            output_files=request.output_files,
            output_directories=request.output_directories,
            description=request.description,
            level=LogLevel.INFO,
        ),
        **implicitly(),
    )
    return ToolProcess(process)


@dataclass(frozen=True)
class ToolOutput:
    digest: Digest
    stdout: str


@rule(desc="Run synapse_bridge", level=LogLevel.DEBUG)
async def run_tool(request: ToolRequest) -> ToolOutput:
    prepared = await prepare_tool(request, **implicitly())
    result = await execute_process_or_raise(**implicitly({prepared.process: Process}))
    return ToolOutput(result.output_digest, result.stdout.decode())


@dataclass(frozen=True)
class ToolAttempt:
    """What came of running the tool, also where it ended with an exit code of its own."""

    result: FallibleProcessResult


@rule(desc="Try synapse_bridge", level=LogLevel.DEBUG)
async def attempt_tool(request: ToolRequest) -> ToolAttempt:
    prepared = await prepare_tool(request, **implicitly())
    return ToolAttempt(await execute_process(prepared.process, **implicitly()))


def rules() -> list[Any]:
    return [*collect_rules()]
