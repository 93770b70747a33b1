"""Running a server in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from synapse_bridge.serve.address import Tcp
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import Server
from synapse_bridge.serve.service import Service

LOG = logging.getLogger("synapse_bridge.serve")


def run(service: Service, options: Options) -> None:
    """Serve until a signal, or with ``exit_with_parent`` until the end of standard input.

    Raises :class:`~synapse_bridge.serve.CannotServe` if the server cannot start.
    """
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(_serve(service, options))


async def _serve(service: Service, options: Options) -> None:
    server = Server(service, options)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    if options.exit_with_parent:
        _stop_at_end_of_input(stop)
    address = await server.start()
    if options.port_file and isinstance(address, Tcp):
        _write_port_file(options.port_file, address.port)
    print(f"listening on {address}", flush=True)
    await stop.wait()
    LOG.info("stopping: running calls have %g seconds to finish", options.grace)
    await server.stop()


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT drain the server; the second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    """Drain when standard input ends, as it does when the process at its other end dies."""
    loop = asyncio.get_running_loop()

    def read_to_end() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read_to_end, name="synapse-parent", daemon=True).start()


def _write_port_file(path: Path, port: int) -> None:
    """Write the port so that a reader finds the whole number or no file at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(f"{port}\n")
    os.replace(file.name, path)
