"""``synapse_bridge lock``: write the numbers that members keep, or say whether they are written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from synapse_bridge.commands.choice import (
    AgentOption,
    Choice,
    ConfigOption,
    ElixirOption,
    ExposeOption,
    FactoryOption,
    FunctionOption,
    LockOption,
    ModelOption,
    ModuleOption,
    UsageError,
    configured,
    introspected,
    lock_file,
    mistakes_told,
    target_of,
)
from synapse_bridge.lock import Lock, read, to_text
from synapse_bridge.lock.changes import changes
from synapse_bridge.output import write_file


def lock(
    module: ModuleOption = None,
    function: FunctionOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    file: LockOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if the lock is stale.")
    ] = False,
) -> None:
    """Write the lock: the numbers that fields, enum values and union members keep for good.

    Without `--module` it is written for every module of the configuration. Commit the file.
    """
    with mistakes_told():
        choice = Choice(
            module,
            function,
            elixir_module,
            config,
            lock=file,
            agents=agent,
            deps_factory=deps_factory,
            models=model,
            expose_tools=expose_tools,
        )
        source = configured(choice)
        named = target_of(choice)
        targets = [named] if named else list(source.config.modules)
        if not targets:
            raise UsageError("say what to lock\n  → `--module MODULE`")
        path = lock_file(choice, source)
        old = read(path) if path.exists() else Lock()
        new, told = old, []
        for target in targets:
            _, service = introspected(choice, source, target, old)
            told += [f"{target}: {line}" for line in changes(old.service(target), service)]
            new = new.having(target, service)
    text = to_text(new)
    current = path.exists() and text == path.read_text("utf-8")
    if check and not current:
        print(_stale(path, told), file=sys.stderr)
        raise typer.Exit(1)
    if current:
        print(f"{path} is current")
        return
    with mistakes_told():
        write_file(path, text)
    print("\n".join([*told, f"{path} is written"]))


def _stale(path: Path, told: list[str]) -> str:
    what = "is stale" if path.exists() else "does not exist"
    fix = "  → run `synapse_bridge lock` (in Pants: `synapse-lock`), and commit the file"
    return "\n".join([f"{path} {what}", *(f"  {line}" for line in told), fix])
