"""How a process of a server begins and ends: signals, standard input, the line that says where."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from synapse_bridge.serve.address import Address, Tcp
from synapse_bridge.serve.loading import CannotServe


def announce(address: Address, port_file: Path | None, shown: str = "") -> None:
    """Say where calls are answered; raises :class:`CannotServe` if that cannot be written.

    ``shown`` is how clients name the address, where that is another way.
    """
    if port_file and isinstance(address, Tcp):
        _write_port_file(port_file, address.port)
    print(f"listening on {shown or address}", flush=True)


def stop_on_signals(stop: asyncio.Event, at_once: Callable[[], None] | None = None) -> None:
    """SIGTERM and SIGINT drain the server; the second one ends the process ``at_once``.

    Without a function for that, the signal itself does it.
    """
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            if at_once:
                loop.add_signal_handler(number, at_once)
                continue
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def stop_at_end_of_input(stop: asyncio.Event) -> None:
    """Drain when standard input ends, as it does when the process at its other end dies."""
    loop = asyncio.get_running_loop()

    def read_to_end() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read_to_end, name="synapse-parent", daemon=True).start()


def _write_port_file(path: Path, port: int) -> None:
    """Write the port so that a reader finds the whole number or no file at all."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(f"{port}\n")
        os.replace(file.name, path)
    except OSError as error:
        text = f"--port-file: {path} cannot be written: {error.strerror}"
        raise CannotServe(text) from error
