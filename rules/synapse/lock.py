"""`synapse-lock`: the lock of numbers, written; `check`, whether it is; `lint`, what it forbids."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.addresses import Address
from pants.engine.console import Console
from pants.engine.fs import Digest, MergeDigests, Workspace
from pants.engine.goal import Goal, GoalSubsystem
from pants.engine.rules import collect_rules, goal_rule
from pants.engine.target import FieldSet, Target, Targets
from pants.engine.unions import UnionRule
from pants.option.option_types import SkipOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.meta import classproperty
from pants.util.strutil import softwrap

from pants_compat import (
    concurrently,
    implicitly,
    merge_digests,
    resolve_unparsed_address_inputs,
    rule,
)
from synapse.codegen import (
    CONTRACT,
    ContractRequest,
    LockFileRequest,
    SelectionRequest,
    introspect,
    lock_file,
    select,
)
from synapse.subsystem import Synapse
from synapse.target_types import (
    SynapseAgentsField,
    SynapseLockField,
    SynapseModuleField,
    python_object,
)
from synapse.tool import ToolRequest, attempt_tool, run_tool


@dataclass(frozen=True)
class WriteLockRequest:
    """Write what a service has to say into the lock at `path`, of which `lock` may have one."""

    service: Address
    path: str
    lock: Digest


@dataclass(frozen=True)
class WrittenLock:
    digest: Digest
    told: str


@rule(desc="Lock a Synapse service", level=LogLevel.DEBUG)
async def write_lock(request: WriteLockRequest) -> WrittenLock:
    selection = await select(SelectionRequest(request.service), **implicitly())
    inputs = await merge_digests(MergeDigests((selection.config, request.lock)))
    output = await run_tool(
        ToolRequest(
            roots=selection.roots,
            arguments=("lock", *selection.arguments, "--lock", request.path),
            inputs=inputs,
            description=f"Lock {request.service}",
            output_files=(request.path,),
        ),
        **implicitly(),
    )
    return WrittenLock(output.digest, output.stdout)


class SynapseLockSubsystem(GoalSubsystem):
    name = "synapse-lock"
    help = softwrap(
        """
        Write the locks of `synapse_service` targets: the numbers that fields, enum values and
        union members keep for good, and the contract that later changes are judged by. Prints what
        changed. Commit the files.
        """
    )


class SynapseLock(Goal):
    subsystem_cls = SynapseLockSubsystem
    environment_behavior = Goal.EnvironmentBehavior.LOCAL_ONLY


@goal_rule
async def synapse_lock(targets: Targets, console: Console, workspace: Workspace) -> SynapseLock:
    sharing: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        if target.has_field(SynapseLockField):
            sharing[target[SynapseLockField].path].append(target)
    for path, services in sorted(sharing.items()):
        # One after the other: services of a folder share its lock.
        found = await lock_file(LockFileRequest(services[0].address), **implicitly())
        lock = found.digest
        for service in sorted(services, key=lambda target: target.address):
            written = await write_lock(
                WriteLockRequest(service.address, path, lock), **implicitly()
            )
            lock = written.digest
            console.print_stdout(written.told.rstrip())
        workspace.write_digest(lock)
    if not sharing:
        console.print_stderr("No `synapse_service` among the targets.")
    return SynapseLock(exit_code=0)


@dataclass(frozen=True)
class SynapseLockFieldSet(FieldSet):
    required_fields = (SynapseModuleField, SynapseLockField)

    module: SynapseModuleField
    agents: SynapseAgentsField
    lock: SynapseLockField


class SynapseLockCheckRequest(CheckRequest):
    field_set_type = SynapseLockFieldSet
    tool_name = "synapse-lock"


@dataclass(frozen=True)
class LockCheckRequest:
    service: Address


@dataclass(frozen=True)
class LockCheck:
    """Whether the lock of a service is current; none where it has no lock."""

    result: CheckResult | None


@rule(desc="Check a lock", level=LogLevel.DEBUG)
async def check_lock(request: LockCheckRequest) -> LockCheck:
    lock, selection = await concurrently(
        lock_file(LockFileRequest(request.service), **implicitly()),
        select(SelectionRequest(request.service), **implicitly()),
    )
    if not lock.exists:
        return LockCheck(None)
    inputs = await merge_digests(MergeDigests((selection.config, lock.digest)))
    attempt = await attempt_tool(
        ToolRequest(
            roots=selection.roots,
            arguments=("lock", *selection.arguments, "--lock", lock.path, "--check"),
            inputs=inputs,
            description=f"Check the lock of {request.service}",
        ),
        **implicitly(),
    )
    return LockCheck(
        CheckResult.from_fallible_process_result(
            attempt.result, partition_description=request.service.spec
        )
    )


@rule(desc="Check the locks of Synapse services", level=LogLevel.DEBUG)
async def check_locks(request: SynapseLockCheckRequest) -> CheckResults:
    checks = await concurrently(
        check_lock(LockCheckRequest(field_set.address), **implicitly())
        for field_set in request.field_sets
    )
    return CheckResults(
        [check.result for check in checks if check.result is not None],
        checker_name=request.tool_name,
    )


class SynapseCompatibility(Subsystem):
    options_scope = "synapse-compatibility"
    name = "synapse-compatibility"
    help = "Whether Synapse services still understand the clients that are deployed."

    skip = SkipOption("lint")
    fail_on = StrOption(
        default="source",
        help=(
            "The mildest change from the contract in the lock that fails: `wire` (deployed clients "
            "break), `source` (the Elixir code that calls a new client breaks) or `never`."
        ),
    )


class SynapseCompatibilityRequest(LintTargetsRequest):
    tool_subsystem = SynapseCompatibility  # type: ignore[assignment] # narrower than declared
    field_set_type = SynapseLockFieldSet
    partitioner_type = PartitionerType.DEFAULT_ONE_PARTITION_PER_INPUT

    @classproperty
    def tool_name(cls) -> str:
        return cls.tool_subsystem.options_scope


@rule(desc="Compare a Synapse service with its lock", level=LogLevel.DEBUG)
async def lint_compatibility(
    request: SynapseCompatibilityRequest.Batch[SynapseLockFieldSet, Any],
    synapse: Synapse,
    compatibility: SynapseCompatibility,
) -> LintResult:
    (field_set,) = request.elements
    lock, tool = await concurrently(
        lock_file(LockFileRequest(field_set.address), **implicitly()),
        resolve_unparsed_address_inputs(synapse.tool_addresses, **implicitly()),
    )
    if not lock.exists:
        return LintResult(0, "", "", request.tool_name, field_set.address.spec)
    contract = await introspect(ContractRequest(field_set.address), **implicitly())
    inputs = await merge_digests(MergeDigests((contract.digest, lock.digest)))
    module = python_object(field_set.address, field_set.module, field_set.agents)
    attempt = await attempt_tool(
        ToolRequest(
            roots=tool,
            arguments=(
                "diff",
                lock.path,
                CONTRACT,
                "--module",
                module,
                "--fail-on",
                compatibility.fail_on,
            ),
            inputs=inputs,
            description=f"Compare {field_set.address} with its lock",
        ),
        **implicitly(),
    )
    result = attempt.result
    return LintResult(
        result.exit_code,
        result.stdout.decode(),
        result.stderr.decode(),
        request.tool_name,
        field_set.address.spec,
    )


def rules() -> list[Any]:
    return [
        *collect_rules(),
        UnionRule(CheckRequest, SynapseLockCheckRequest),
        *SynapseCompatibilityRequest.rules(),
    ]
