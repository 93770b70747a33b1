"""The command line: ``generate``, ``inspect`` and ``serve``.

Whatever is the user's to correct ends with exit code 2 and a message that says where and how.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from synapse_bridge import __version__
from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.schema import ContractError, from_json, to_json
from synapse_bridge.introspect import IntrospectionError, Naming, introspect

app = typer.Typer(
    name="synapse_bridge",
    help="A typed gRPC bridge from Python functions to Elixir.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ModuleOption = Annotated[
    str | None,
    typer.Option(
        "--module",
        "-m",
        metavar="MODULE[:OBJECT]",
        help="The Python module, or an object in it whose methods to bridge.",
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


@app.command("inspect")
def inspect_command(
    module: ModuleOption = None,
    function: FunctionOption = None,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    contract: ContractOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the contract itself.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the contract to a file."),
    ] = None,
) -> None:
    """Print the contract of a module: for people, or as JSON."""
    with _mistakes_told():
        found = _contract(module, function, elixir_module, config, contract)
        if output is not None:
            output.write_text(to_json(found), "utf-8")
        elif json:
            sys.stdout.write(to_json(found))


def _contract(
    module: str | None,
    functions: list[str] | None,
    elixir_module: str | None,
    config: Path | None,
    contract: Path | None,
) -> Contract:
    """The contract of the chosen module, or the one in the given file."""
    assert module is not None
    sys.path.insert(0, str(Path.cwd()))
    return introspect(module, functions or (), Naming(elixir_module=elixir_module))


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Turn the user's mistakes into a message and exit code 2."""
    try:
        yield
    except (IntrospectionError, ContractError) as error:
        print(f"synapse_bridge: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """The entry point of the command."""
    app()
