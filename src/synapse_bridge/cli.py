"""The command line: ``generate``, ``inspect``, ``serve`` and, in ``commands``, ``lock``, ``diff``,
``coverage`` and ``mcp``.

Whatever is the user's to correct ends with exit code 2 and a message that says where and how.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from synapse_bridge import __version__
from synapse_bridge.commands import coverage as coverage_command
from synapse_bridge.commands import diff as diff_command
from synapse_bridge.commands import lock as lock_command
from synapse_bridge.commands import mcp as mcp_command
from synapse_bridge.commands.choice import (
    AgentOption,
    Choice,
    ConfigOption,
    ContractOption,
    ElixirOption,
    ExposeOption,
    FactoryOption,
    FunctionOption,
    LockOption,
    ModelOption,
    ModuleOption,
    UsageError,
    chosen_contract,
    configured,
    mistakes_told,
    path_has_working_directory,
)
from synapse_bridge.commands.live import live
from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.schema import to_json
from synapse_bridge.describe import describe
from synapse_bridge.output import write_file, write_folder
from synapse_bridge.serve import section

if TYPE_CHECKING:
    from synapse_bridge.serve import Service

app = typer.Typer(
    name="synapse_bridge",
    help="A typed gRPC bridge from Python functions to Elixir.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


_WIDTH = 120
"""Columns of a description that does not go to a terminal."""


@app.command("generate")
def generate_command(
    module: ModuleOption = None,
    function: FunctionOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    contract: ContractOption = None,
    lock: LockOption = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to write.")
    ] = Path("synapse_out"),
) -> None:
    """Write contract, .proto, Python server and Elixir client of a module.

    The folder is replaced as a whole, or on an error not at all. What is in it and was not written
    by this command stays.
    """
    with mistakes_told():
        found = chosen_contract(
            Choice(
                module,
                function,
                elixir_module,
                config,
                contract,
                lock,
                agent,
                deps_factory,
                model,
                expose_tools,
            )
        )
        files = _generate(found)
        write_folder(out, files)
    print(f"{found.service.elixir}: {len(files)} files in {out}")


@app.command("inspect")
def inspect_command(
    module: ModuleOption = None,
    function: FunctionOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    contract: ContractOption = None,
    lock: LockOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the contract itself.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to a file."),
    ] = None,
) -> None:
    """Print the contract of a module: for people, or as JSON."""
    with mistakes_told():
        found = chosen_contract(
            Choice(
                module,
                function,
                elixir_module,
                config,
                contract,
                lock,
                agent,
                deps_factory,
                model,
                expose_tools,
            )
        )
        if output is not None:
            json = json or output.suffix == ".json"
            write_file(output, to_json(found) if json else _described(found))
        elif json:
            sys.stdout.buffer.write(to_json(found).encode("utf-8"))  # whatever the locale
        else:
            _print_described(found)


@app.command(
    "serve",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Further options are the server's: "
    + ", ".join(f"--{name.replace('_', '-')}" for name in section.settings())
    + ".",
)
def serve_command(
    context: typer.Context,
    module: ModuleOption = None,
    function: FunctionOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    elixir_module: ElixirOption = None,
    config: ConfigOption = None,
    contract: ContractOption = None,
    lock: LockOption = None,
    generated: Annotated[
        str | None,
        typer.Option(
            "--generated",
            metavar="DIR|FILE|MODULE",
            help="A folder that `generate` wrote, or the generated server in it.",
        ),
    ] = None,
) -> None:
    """Serve a module over gRPC, or a server that was generated before."""
    from synapse_bridge import serve

    def load() -> Service:
        if generated is None:
            choice = Choice(
                module,
                function,
                elixir_module,
                config,
                contract,
                lock,
                agent,
                deps_factory,
                model,
                expose_tools,
            )
            return live(chosen_contract(choice))
        path_has_working_directory()
        return serve.load(_server_file(generated))

    with mistakes_told():
        if generated is not None and (module or agent or contract):
            raise UsageError("say either `--generated` or what to generate")
        serve.main(load, context.args, configured(Choice(config=config)).serving())


def _generate(contract: Contract) -> dict[str, str | bytes]:
    from synapse_bridge.generate import (
        generate,
    )  # takes protoc along, which `inspect` does not need

    return generate(contract)


def _server_file(generated: str) -> str:
    """The server in a folder that ``generate`` wrote; anything else is its file or module."""
    folder = Path(generated)
    if not folder.is_dir():
        return generated
    servers = sorted([*folder.glob("*_server.py"), *folder.glob("python/*_server.py")])
    if len(servers) != 1:
        found = ", ".join(path.name for path in servers) or "none"
        raise UsageError(
            f"{folder} should hold one generated server, and holds {found}\n"
            "  → name its file: `--generated …_server.py`"
        )
    return str(servers[0])


def _print_described(contract: Contract) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(describe(contract))


def _described(contract: Contract) -> str:
    text = io.StringIO()
    Console(file=text, width=_WIDTH).print(describe(contract))
    return text.getvalue()


app.command("lock")(lock_command.lock)
app.command("diff")(diff_command.diff)
app.command("coverage")(coverage_command.coverage)
app.command(
    "mcp",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog=mcp_command.EPILOG,
)(mcp_command.mcp)


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
