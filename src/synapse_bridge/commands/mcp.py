"""``synapse_bridge mcp``: functions as tools of the Model Context Protocol."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synapse_bridge.commands.choice import (
    AgentOption,
    Choice,
    ConfigOption,
    ContractOption,
    ExposeOption,
    FactoryOption,
    FunctionOption,
    ModelOption,
    ModuleOption,
    UsageError,
    chosen_contract,
    configured,
    mistakes_told,
)
from synapse_bridge.commands.live import live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_bridge.contract.model import Contract
    from synapse_bridge.mcp.tools import Tool

_EVERYWHERE = (
    "debug",
    "max_workers",
    "max_queue",
    "max_calls",
    "max_deadline",
    "max_message",
    "access_log",
    "telemetry",
)
_ADDRESS = ("host", "port", "port_file", "exit_with_parent")
_HTTP = (
    *_ADDRESS,
    "grace",
    "tls_cert",
    "tls_key",
    "token_file",
    "token_env",
    "jwt_keys",
    "jwt_issuer",
    "jwt_audience",
    "jwt_algorithms",
    "jwt_leeway",
    "jwt_roles_claim",
    "authenticator",
    "authorizer",
    "allow",
    "max_header",
    "max_peer_calls",
)
_CERTIFICATES = ("client_ca", "auth_certificate")


class Transport(enum.StrEnum):
    """What carries the messages."""

    STDIO = "stdio"
    HTTP = "http"


def _flags(names: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


EPILOG = (
    f"Further options are the server's: {_flags(_EVERYWHERE)}; and over HTTP also {_flags(_HTTP)}."
)


def mcp(
    context: typer.Context,
    module: ModuleOption = None,
    function: FunctionOption = None,
    config: ConfigOption = None,
    contract: ContractOption = None,
    agent: AgentOption = None,
    deps_factory: FactoryOption = None,
    model: ModelOption = None,
    expose_tools: ExposeOption = False,
    transport: Annotated[
        Transport, typer.Option("--transport", help="What carries the messages.")
    ] = Transport.STDIO,
) -> None:
    """Serve functions and agents as MCP tools, over standard input and output or HTTP."""
    with mistakes_told():
        try:
            from synapse_bridge.mcp import running
        except ImportError as error:
            raise UsageError(
                "version 2 of MCP's SDK is not installed: pip install 'synapse_bridge[mcp]' "
                f"({error})"
            ) from None
        from synapse_bridge.serve import Options, cli

        names = _EVERYWHERE if transport is Transport.STDIO else (*_EVERYWHERE, *_HTTP)
        said = cli.said(context.args, names, "synapse_bridge mcp")
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        with running.standard_output_kept():
            choice = Choice(
                module,
                function,
                config=config,
                contract=contract,
                agents=agent,
                deps_factory=deps_factory,
                models=model,
                expose_tools=expose_tools,
            )
            settings = configured(Choice(config=config)).serving()
            found = chosen_contract(choice)
            tools = _tools(found, function)
            service = live(found)
        if transport is Transport.STDIO:
            options = Options(**_of(settings, _EVERYWHERE), **said)
            running.over_stdio(found, service, tools, options)
        else:
            running.over_http(found, service, tools, Options(**_over_http(settings) | said))


def _tools(contract: Contract, named: list[str] | None) -> Sequence[Tool]:
    """The tools; raises :class:`UsageError` where a function that was named cannot be one."""
    from synapse_bridge.mcp.tools import tools

    made, others = tools(contract)
    for one in others:
        if one.name in (named or ()):
            raise UsageError(f"{one.name} cannot be a tool: {one.reason}")
        logging.getLogger("synapse_bridge.mcp").warning("%s is no tool: %s", one.name, one.reason)
    if not made:
        raise UsageError(f"{contract.service.module} has no function that can be a tool")
    return made


def _of(settings: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: settings[name] for name in names if name in settings}


def _over_http(settings: dict[str, Any]) -> dict[str, Any]:
    """What the configuration says of servers, but for the address: that is the gRPC server's."""
    for name in _CERTIFICATES:
        if settings.get(name):
            raise UsageError(
                f"the configuration's `serve.{name}` cannot be followed: over HTTP, clients of MCP "
                "show tokens, and no certificates\n  → give another configuration with `--config`"
            )
    names = [name for name in (*_EVERYWHERE, *_HTTP) if name not in _ADDRESS]
    return _of(settings, (*names, "methods"))
