"""`check`: the generated Elixir client, with warnings as errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.core.goals.check import CheckRequest, CheckResults
from pants.engine.addresses import Addresses
from pants.engine.rules import collect_rules
from pants.engine.target import FieldSet
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from elixir.compiler import CompileElixirRequest, Elixirc, check_results, compile_elixir
from pants_compat import implicitly, rule
from synapse.target_types import SynapseModuleField


@dataclass(frozen=True)
class SynapseCheckFieldSet(FieldSet):
    required_fields = (SynapseModuleField,)

    module: SynapseModuleField


class SynapseCheckRequest(CheckRequest):
    field_set_type = SynapseCheckFieldSet
    tool_name = "elixirc of generated clients"


@rule(desc="Compile generated Elixir with warnings as errors", level=LogLevel.DEBUG)
async def check_clients(request: SynapseCheckRequest, elixirc: Elixirc) -> CheckResults:
    if elixirc.skip:
        return CheckResults([], checker_name=request.tool_name)
    services = Addresses(field_set.address for field_set in request.field_sets)
    build = await compile_elixir(CompileElixirRequest(services), **implicitly())
    # The runtime is checked as the library that it is, unless it is what keeps a client from
    # being compiled.
    return check_results(
        (each for each in build.libraries if each.library in services or not each.succeeded),
        request.tool_name,
    )


def rules() -> list[Any]:
    return [*collect_rules(), UnionRule(CheckRequest, SynapseCheckRequest)]
