"""The command line of a generated server."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from synapse_bridge.serve import kind, section
from synapse_bridge.serve.kind import Setting
from synapse_bridge.serve.loading import CannotServe, load
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.service import Service

_DEFAULTS = Options()


def main(
    service: Service | Callable[[], Service] | None = None,
    argv: Sequence[str] | None = None,
    configured: Mapping[str, Any] | None = None,
) -> None:
    """Serve ``service`` as the command line says; without one, the server that it names.

    ``configured`` are settings by their names, for what the command line leaves open. Without them,
    it may name a configuration. Exits with status 2 and a message where the server cannot start.
    """
    said = vars(_parser(service, configured is None).parse_args(argv))
    server = said.pop("server", None)
    config = said.pop("config", None)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        if config:
            configured = _configured(config)
        options = Options(**_merged(configured or {}, said))
        run(service or (lambda: load(server)), options)
    except CannotServe as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def run(service: Service | Callable[[], Service], options: Options = _DEFAULTS) -> None:
    """Serve in this process until a signal, or with ``exit_with_parent`` the end of standard input.

    Prints ``listening on HOST:PORT`` (or ``listening on unix:PATH``) to standard output, and writes
    the port file, once calls are answered. SIGTERM and SIGINT drain: health says NOT_SERVING, new
    calls are refused, running ones have ``grace`` seconds; the second signal ends the process at
    once. With several ``workers``, this process supervises them: each runs the program's command
    line again up to this call. A ``service`` that is a function is loaded in the processes that
    serve it only.
    Raises :class:`CannotServe` if the server cannot start.
    """
    # gRPC reads this once, when it is first used. With its event engine, every read goes through
    # two more threads on its way to Python's event loop; without, a call costs a quarter less
    # processor time (docs/performance.md). A value that the user has set stands.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    from synapse_bridge.serve import workers

    place = workers.place()
    if place is None and options.workers > 1:
        workers.supervise(options)
        return
    # gRPC takes a while to import, and a module that only describes a service does not need it.
    from synapse_bridge.serve import running

    running.run(service if isinstance(service, Service) else service(), options, place)


def said(argv: Sequence[str], names: Collection[str], prog: str) -> dict[str, Any]:
    """What a command line says of these settings; exits with status 2 for one that says more."""
    parser = argparse.ArgumentParser(prog=prog, usage=argparse.SUPPRESS, allow_abbrev=False)
    for name in names:
        _add(parser, f"--{name.replace('_', '-')}", section.settings()[name], _default(name))
    return vars(parser.parse_args(argv))


def _default(name: str) -> Any:
    return getattr(_DEFAULTS, name)


def _merged(configured: Mapping[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What is said on the command line, and of the configuration what does not contradict it."""
    if "listen" in said and ("host" in said or "port" in said):
        raise CannotServe("--listen: it says all: leave --host and --port away")
    where = {"listen", "host", "port"}
    if where & said.keys():
        # An address is one thing, though it has several settings.
        configured = {name: value for name, value in configured.items() if name not in where}
    return {**configured, **said}


def _configured(path: Path) -> dict[str, Any]:
    """The settings in a configuration."""
    # Most servers have none, and reading it takes the tool along.
    from synapse_bridge import config

    try:
        return config.read(path).serving()
    except config.ConfigError as error:
        raise CannotServe(f"--config: {error}") from None


def _parser(
    service: Service | Callable[[], Service] | None, takes_config: bool
) -> argparse.ArgumentParser:
    what = service.name if isinstance(service, Service) else "a module"
    parser = argparse.ArgumentParser(description=f"Serve {what} over gRPC.", allow_abbrev=False)
    if service is None:
        parser.add_argument(
            "server", help="module name or file of a generated server (…_server.py)"
        )
    if takes_config:
        parser.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="synapse.yaml, synapse.json or a pyproject.toml, for its section serve: and its "
            "allow: lists",
        )
    for name, setting in section.settings().items():
        _add(parser, f"--{name.replace('_', '-')}", setting, _default(name))
    return parser


def _add(parser: argparse.ArgumentParser, flag: str, setting: Setting, default: Any) -> None:
    if setting.kind is kind.SWITCH:
        # What is not said must stay apart from what is said to be off.
        parser.add_argument(
            flag,
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=setting.help,
        )
        return
    shown = ",".join(default) if isinstance(default, tuple) else default
    parser.add_argument(
        flag,
        type=_said(setting.kind.parse),
        metavar=setting.metavar or _metavar(setting),
        default=argparse.SUPPRESS,
        help=setting.help if default is None else f"{setting.help} (default: {shown})",
    )


def _metavar(setting: Setting) -> str | None:
    return "|".join(setting.kind.choices) if setting.kind.choices else None


def _said(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from None

    return read
