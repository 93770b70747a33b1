"""What a command line chooses: a module and how to bridge it, or a contract that was written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from synapse_bridge import config as configuration
from synapse_bridge.config import ConfigError
from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.schema import ContractError, from_json
from synapse_bridge.introspect import IntrospectionError, Locked, Wanted, introspect_locked
from synapse_bridge.lock import FILE, Lock, LockError, ServiceLock
from synapse_bridge.lock import read as read_lock
from synapse_bridge.output import OutputError

ModuleOption = Annotated[
    str | None,
    typer.Option(
        "--module",
        "-m",
        metavar="MODULE[:OBJECT]",
        help="The Python module, or an object in it whose methods to bridge. Default: the only "
        "one in the configuration.",
    ),
]
FunctionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--function",
        "-f",
        metavar="NAME",
        help="A function to bridge; may be repeated. Default: the module's `__all__`, else its "
        "public functions that have annotations.",
    ),
]
ElixirOption = Annotated[
    str | None,
    typer.Option(
        "--elixir-module",
        metavar="NAME",
        help="The Elixir client module. Default: the Python module in CamelCase.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="synapse.yaml, synapse.json or a pyproject.toml. Default: the one in this folder.",
    ),
]
ContractOption = Annotated[
    Path | None,
    typer.Option(
        "--contract",
        metavar="FILE",
        help="A contract that `inspect --json` wrote, in the place of a module.",
    ),
]
AgentOption = Annotated[
    list[str] | None,
    typer.Option(
        "--agent",
        metavar="MODULE:NAME",
        help="An agent of pydantic-ai to bridge; may be repeated. Without `--module`, nothing else "
        "is bridged. Default: the configuration's.",
    ),
]
FactoryOption = Annotated[
    str | None,
    typer.Option(
        "--deps-factory",
        metavar="MODULE:FUNCTION",
        help="What makes the `deps` of these agents.",
    ),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model that callers of these agents may choose; may be repeated.",
    ),
]
ExposeOption = Annotated[
    bool,
    typer.Option("--expose-tools", help="Bridge the typed tools of these agents as functions."),
]
LockOption = Annotated[
    Path | None,
    typer.Option(
        "--lock",
        metavar="FILE",
        help=f"The lock of numbers. Default: the configuration's, else {FILE}, if it exists.",
    ),
]


class UsageError(Exception):
    """The command line asks for something that does not go together."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the options of a command say; ``None`` where they say nothing."""

    module: str | None = None
    functions: list[str] | None = None
    elixir_module: str | None = None
    config: Path | None = None
    contract: Path | None = None
    lock: Path | None = None
    agents: list[str] | None = None
    deps_factory: str | None = None
    models: list[str] | None = None
    expose_tools: bool = False


def chosen_contract(choice: Choice) -> Contract:
    """The contract of the chosen module, or the one in the given file."""
    if choice.contract is not None:
        if replace(choice, contract=None) != Choice():
            raise UsageError(
                "`--contract` says all: `--module`, `--function`, `--agent`, `--elixir-module`, "
                "`--config` and `--lock` do not go with it"
            )
        return read_contract(choice.contract)
    source = configured(choice)
    target = target_of(choice) or _only_module(source)
    file = lock_file(choice, source)
    named = choice.lock or source.lock
    lock = read_lock(file) if named or file.exists() else Lock()
    return introspected(choice, source, target, lock)[0]


def configured(choice: Choice) -> configuration.Source:
    """The configuration that goes for this choice."""
    path_has_working_directory()
    file = choice.config or configuration.find(Path.cwd())
    return configuration.read(file) if file else configuration.Source()


def lock_file(choice: Choice, source: configuration.Source) -> Path:
    """Where the lock is, or would be."""
    return choice.lock or source.lock or Path(FILE)


def introspected(
    choice: Choice, source: configuration.Source, target: str, lock: Lock
) -> tuple[Contract, ServiceLock]:
    """The contract of a module, and what the lock has to say of it from now on."""
    only_agents = choice.agents and not choice.module and not choice.functions
    return introspect_locked(
        target,
        None if only_agents else choice.functions or (),
        source.naming(target, choice.elixir_module),
        source.overrides(),
        source.calls(target),
        Locked(lock.service(target), source.config.renamed, source.place("renamed")),
        _agents(choice, source, target),
    )


def target_of(choice: Choice) -> str | None:
    """The module that the command line names, perhaps by its agents."""
    modules = {name.partition(":")[0] for name in choice.agents or ()}
    if choice.module:
        modules.add(choice.module)
    if len(modules) > 1:
        raise UsageError(
            f"one service is of one module, and these are several: {', '.join(sorted(modules))}\n"
            "  → import the agents into the module of the service"
        )
    return modules.pop() if modules else None


def _agents(choice: Choice, source: configuration.Source, target: str) -> list[Wanted]:
    """The agents that are named, or those of the configuration; the command line goes first."""
    configured = {one.variable: one for one in source.agents(target)}
    about = (choice.deps_factory, choice.models, choice.expose_tools)
    if choice.agents is None:
        if any(about):
            raise UsageError("`--deps-factory`, `--model` and `--expose-tools` go with `--agent`")
        return [*configured.values()]
    if "" in (choice.models or ()):
        raise UsageError("`--model` without a name\n  → name a model as pydantic-ai does")
    found = []
    for name in choice.agents:
        _, colon, variable = name.partition(":")
        if not colon or not variable.isidentifier():
            raise UsageError(f"`--agent {name}` names no agent\n  → write `--agent MODULE:NAME`")
        known = configured.get(variable, Wanted(variable))
        found.append(
            replace(
                known,
                deps_factory=choice.deps_factory or known.deps_factory,
                models=tuple(choice.models or known.models),
                expose=choice.expose_tools or known.expose,
            )
        )
    return found


def _only_module(source: configuration.Source) -> str:
    """The module to bridge where the command line names none."""
    match list(source.config.modules):
        case [module]:
            return module
        case []:
            raise UsageError("say what to bridge\n  → `--module MODULE`")
        case modules:
            raise UsageError(
                f"{source.file} has several modules\n  → say `--module` with one of: "
                + ", ".join(modules)
            )


def read_contract(path: Path) -> Contract:
    """The contract in a file; raises :class:`UsageError` for anything else."""
    try:
        return from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror}") from None
    except ContractError as error:
        raise UsageError(f"{path}: {error}") from None


def path_has_working_directory() -> None:
    """As ``python -m`` has it, so that the installed command finds the same modules."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Turn the user's mistakes into a message and exit code 2."""
    from synapse_bridge.serve import CannotServe

    try:
        yield
    except (
        UsageError,
        IntrospectionError,
        ConfigError,
        LockError,
        OutputError,
        CannotServe,
    ) as error:
        print(f"synapse_bridge: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
