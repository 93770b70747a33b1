"""``synapse_bridge diff``: what changed between two contracts, and whom it breaks."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, cast

import typer

from synapse_bridge.commands.choice import (
    AgentOption,
    Choice,
    ConfigOption,
    ElixirOption,
    ExposeOption,
    FactoryOption,
    FunctionOption,
    ModelOption,
    ModuleOption,
    mistakes_told,
)
from synapse_bridge.commands.versions import contract_of
from synapse_bridge.compatibility import Severity, breaking, compare
from synapse_bridge.compatibility.report import to_json, to_text


class FailOn(StrEnum):
    """What makes the exit code 1."""

    wire = "wire"
    source = "source"
    never = "never"


def diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="A contract, a lock, or a git revision (`main`, `v1.2:src`), whose sources are "
            "introspected in this folder, or in the one after the colon.",
        ),
    ],
    new: Annotated[
        str, typer.Argument(metavar="[NEW]", help="The same. Default: the sources as they are.")
    ] = "",
    module: ModuleOption = None,
    function: FunctionOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fail_on: Annotated[
        FailOn,
        typer.Option("--fail-on", help="The mildest change that makes the exit code 1."),
    ] = FailOn.source,
) -> None:
    """Print what changed from one contract to another, and whom each change breaks.

    Wire-breaking changes break clients that are deployed, source-breaking ones the Elixir code
    that calls a client which is generated anew. Rules and fixes: docs/compatibility.md.
    """
    with mistakes_told():
        choice = Choice(
            module,
            function,
            elixir_module,
            config,
            agents=agent,
            deps_factory=deps_factory,
            models=model,
            expose_tools=expose_tools,
        )
        findings = compare(contract_of(old, choice), contract_of(new, choice))
    text = to_json(findings) if json else to_text(findings)
    sys.stdout.buffer.write(text.encode("utf-8"))  # whatever the locale
    if fail_on is not FailOn.never and breaking(findings, cast("Severity", fail_on.value)):
        raise typer.Exit(1)
