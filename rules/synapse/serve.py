"""The generated server: `run`, and booted for Elixir tests and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.python.util_rules.pex import VenvPexProcess
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.addresses import Addresses
from pants.engine.rules import collect_rules
from pants.engine.target import Target
from pants.engine.unions import UnionRule
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from elixir.servers import Servers, ServersRequest
from pants_compat import (
    concurrently,
    implicitly,
    resolve_targets,
    rule,
    setup_venv_pex_process,
)
from synapse import names
from synapse.target_types import (
    SynapseElixirModuleField,
    SynapseModuleField,
    elixir_module,
    stem,
)
from synapse.tool import PythonEnvironmentRequest, build_environment


@dataclass(frozen=True)
class SynapseServersRequest(ServersRequest):
    @classmethod
    def is_service(cls, target: Target) -> bool:
        return target.has_field(SynapseModuleField)


@rule(desc="Prepare Synapse servers", level=LogLevel.DEBUG)
async def prepare_synapse_servers(request: SynapseServersRequest) -> Servers:
    targets, environment = await concurrently(
        resolve_targets(**implicitly({request.services: Addresses})),
        build_environment(PythonEnvironmentRequest(request.services), **implicitly()),
    )
    process = await setup_venv_pex_process(
        VenvPexProcess(
            environment.venv,
            argv=("-m",),
            input_digest=environment.sources,
            description="Serve",
        ),
        **implicitly(),
    )
    return Servers(
        digest=process.input_digest,
        command=process.argv,
        env=FrozenDict(
            {
                "PEX_EXTRA_SYS_PATH": ":".join(
                    f"{{chroot}}/{root}" for root in environment.source_roots
                ),
                "PYTHONUTF8": "1",
            }
        ),
        append_only_caches=process.append_only_caches,
        clients=tuple(
            (elixir_module(target), names.server_module(stem(target))) for target in targets
        ),
    )


@dataclass(frozen=True)
class SynapseRunFieldSet(RunFieldSet):
    required_fields = (SynapseModuleField, SynapseElixirModuleField)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    module: SynapseModuleField


@rule(desc="Run a Synapse server", level=LogLevel.DEBUG)
async def run_server(field_set: SynapseRunFieldSet) -> RunRequest:
    servers = await prepare_synapse_servers(
        SynapseServersRequest(Addresses([field_set.address])), **implicitly()
    )
    executable, *arguments = servers.command
    ((_, server),) = servers.clients
    return RunRequest(
        digest=servers.digest,
        args=(f"{{chroot}}/{executable}", *arguments, server),
        extra_env=servers.env,
        append_only_caches=servers.append_only_caches,
    )


def rules() -> list[Any]:
    return [
        *collect_rules(),
        *SynapseRunFieldSet.rules(),
        UnionRule(ServersRequest, SynapseServersRequest),
    ]
