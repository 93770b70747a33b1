"""The command line of a generated server."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synapse_bridge.serve import address
from synapse_bridge.serve.address import Address, Unix
from synapse_bridge.serve.loading import CannotServe, load
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.service import Service

_DEFAULTS = Options()


def main(service: Service | None = None, argv: Sequence[str] | None = None) -> None:
    """Serve ``service`` as the command line says; without one, the server that it names.

    Exits with status 2 and a message where the server cannot start.
    """
    parser = _parser(service)
    settings = vars(parser.parse_args(argv))
    _check_address(parser, settings)
    server = settings.pop("server", None)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        run(service or load(server), Options(**settings))
    except CannotServe as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def run(service: Service, options: Options = _DEFAULTS) -> None:
    """Serve in this process until a signal, or with ``exit_with_parent`` the end of standard input.

    Prints ``listening on HOST:PORT`` (or ``listening on unix:PATH``) to standard output, and writes
    the port file, once calls are answered. SIGTERM and SIGINT drain: health says NOT_SERVING, new
    calls are refused, running ones have ``grace`` seconds; the second signal ends the process at
    once.
    Raises :class:`CannotServe` if the server cannot start.
    """
    # gRPC reads this once, when it is first used. With its event engine, every read goes through
    # two more threads on its way to Python's event loop; without, a call costs a quarter less
    # processor time (docs/performance.md). A value that the user has set stands.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    # gRPC takes a while to import, and a module that only describes a service does not need it.
    from synapse_bridge.serve import running

    running.run(service, options)


def _parser(service: Service | None) -> argparse.ArgumentParser:
    what = service.name if service else "a generated server"
    parser = argparse.ArgumentParser(description=f"Serve {what} over gRPC.")
    add = parser.add_argument
    if service is None:
        add("server", help="module name or file of a generated server (…_server.py)")
    add("--listen", type=_address, metavar="HOST:PORT|unix:PATH", help="where to listen")
    add("--host", help=f"address to listen on (default: {_DEFAULTS.host})")
    add("--port", type=int, help="0, the default, finds a free one")
    add("--port-file", type=Path, metavar="FILE", help="write the port there once ready")
    add("--debug", action="store_true", help="send exception texts and tracebacks to clients")
    add(
        "--max-workers",
        type=_positive,
        default=_DEFAULTS.max_workers,
        metavar="N",
        help="threads for sync functions (default: %(default)s)",
    )
    add(
        "--max-message",
        type=_positive,
        default=_DEFAULTS.max_message,
        metavar="BYTES",
        help="largest request and largest response (default: %(default)s)",
    )
    add(
        "--grace",
        type=float,
        default=_DEFAULTS.grace,
        metavar="SECONDS",
        help="time for running calls when the server stops (default: %(default)s)",
    )
    add("--reuse-port", action="store_true", help="share the port with other processes")
    add(
        "--transport",
        choices=("http2", "grpcio"),
        default=_DEFAULTS.transport,
        help="what carries the calls (default: %(default)s)",
    )
    add("--exit-with-parent", action="store_true", help="stop when standard input ends")
    return parser


def _check_address(parser: argparse.ArgumentParser, settings: dict[str, Any]) -> None:
    """Refuse what does not go together, and leave away what was not said."""
    unsaid = [name for name in ("host", "port") if settings[name] is None]
    if settings["listen"] and len(unsaid) < 2:
        parser.error("argument --listen: it says all: leave --host and --port away")
    if isinstance(settings["listen"], Unix) and settings["port_file"]:
        parser.error("argument --port-file: a Unix socket has no port")
    for name in unsaid:
        del settings[name]


def _address(text: str) -> Address:
    try:
        return address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
