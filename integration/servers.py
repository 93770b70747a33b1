"""Generated servers as processes, and how an ExUnit suite asks for their death.

A suite runs in another process, often in a container. It reaches this one through a line protocol
on loopback: it sends a command, and reads one line back when the command has taken effect.

========== ================================================ ================
command    effect                                           answer
========== ================================================ ================
start      the server runs, on the same port as before      ``ok``
stop       the server was asked to end, and has ended       ``ok``
kill       the server is killed                             ``ok``
pause      the server hangs                                 ``ok``
resume     the server goes on                               ``ok``
logged X   none                                             ``yes`` or ``no``
proxy X    what ``X`` says, see :mod:`faults.proxy`         what came of it
model X    what ``X`` says, see :mod:`openai_stub`          what came of it
========== ================================================ ================
"""

from __future__ import annotations

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from faults.proxy import Proxy
from openai_stub import OpenAIStub
from samples import Bridge

BOOT_SECONDS = 60.0
STOP_SECONDS = 30.0


class Server:
    """A generated server, started with ``arguments`` and further variables of its ``environment``.

    A context manager: it dies with the block.
    """

    def __init__(
        self,
        bridge: Bridge,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._bridge = bridge
        self._arguments = arguments
        self._environment = environment or {}
        self._port_file = folder / "port"
        self._log_file = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def target(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that the server printed so far, in all its lives."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Makes sure that the server runs and is ready, on the port that it had before."""
        if self._process is not None and self._process.poll() is None:
            return
        self._port_file.unlink(missing_ok=True)
        with self._log_file.open("ab") as log:
            self._process = self._spawn(log)
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._port_file.exists():
            assert self._process.poll() is None, f"the server died at boot:\n{self.log}"
            assert time.monotonic() < deadline, f"the server does not get ready:\n{self.log}"
            time.sleep(0.01)
        self.port = int(self._port_file.read_text())

    def stop(self) -> None:
        """Asks the server to end, as an orchestrator would, and returns when it has ended."""
        self.signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the server."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kills the server and everything it started, as a crash would: without a farewell."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                str(self._bridge.server),
                f"--port={self.port}",
                f"--port-file={self._port_file}",
                "--exit-with-parent",
                *self._arguments,
            ],
            env=self._bridge.sample.environment | dict(self._environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


class Control:
    """Listens for the commands of a suite. Use it as a context manager."""

    def __init__(self, server: Server, model: OpenAIStub | None = None) -> None:
        self._proxy = proxy = Proxy()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    command, _, argument = line.decode().strip().partition(" ")
                    self.wfile.write(f"{_obey(server, proxy, model, command, argument)}\n".encode())

        self._listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True

    def __enter__(self) -> str:
        self._proxy.__enter__()
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        host, port = self._listener.server_address[:2]
        return f"{host!s}:{port}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._proxy.__exit__()


def _obey(
    server: Server, proxy: Proxy, model: OpenAIStub | None, command: str, argument: str
) -> str:
    match command:
        case "start":
            server.start()
        case "stop":
            server.stop()
        case "kill":
            server.kill()
        case "pause":
            server.signal(signal.SIGSTOP)
        case "resume":
            server.signal(signal.SIGCONT)
        case "logged":
            return "yes" if argument in server.log else "no"
        case "proxy":
            return proxy.obey(argument, server.port)
        case "model" if model is not None:
            return model.obey(argument)
        case _:
            return f"no such command: {command}"
    return "ok"
