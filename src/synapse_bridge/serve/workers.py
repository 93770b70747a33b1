"""Several server processes on one port, and the process that supervises them.

A worker is the same command line again, told by an environment variable what it is. It shares the
port by SO_REUSEPORT, says through a pipe when it answers calls, and drains when its standard input
ends, as it does when the supervisor dies, however that happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from synapse_bridge.serve import process
from synapse_bridge.serve.address import Address, Tcp
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options

LOG = logging.getLogger("synapse_bridge.serve")

_VARIABLE = "SYNAPSE_BRIDGE_WORKER"
_BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a worker that ended is replaced, by how many ended in a row. One that answered
calls for longer than the last of them begins the row anew; when the row is at its end before the
next has ever been ready, so is the server."""
_MARGIN = 5.0
"""Seconds beyond the grace period that a worker has to end."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is told: the port it shares, the pipe to say that it is ready, and by whom."""

    port: int
    ready: int
    supervisor: int

    def applied(self, options: Options) -> Options:
        """The options of a worker."""
        return replace(
            options,
            listen=None,
            host=options.address.host if isinstance(options.address, Tcp) else options.host,
            port=self.port,
            port_file=None,
            reuse_port=True,
            exit_with_parent=True,
            workers=1,
        )

    def tell_ready(self) -> None:
        """Tell the supervisor that calls are answered."""
        os.write(self.ready, b"ready\n")
        os.close(self.ready)


def place() -> Place | None:
    """This process's place among workers, if it is one. Its children have none."""
    text = os.environ.pop(_VARIABLE, None)
    found = Place(**json.loads(text)) if text else None
    return found if found and found.supervisor == os.getppid() else None


def supervise(options: Options) -> None:
    """Run workers until a signal, or the end of standard input, as the options say.

    Raises :class:`CannotServe` if the port cannot be had, or no worker gets ready.
    """
    with _reserved(options) as address:
        asyncio.run(_Supervisor(options, address).run())


@contextlib.contextmanager
def _reserved(options: Options) -> Iterator[Tcp]:
    """The address, kept for the workers by a socket that takes no connections itself."""
    address = options.address
    assert isinstance(address, Tcp), "the options refuse anything else"
    address.try_to_bind(reuse_port=options.reuse_port)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((address.host, address.port))
        yield Tcp(address.host, held.getsockname()[1])


class _NeverReady(Exception):
    """A worker ended again and again before it answered calls."""


class _Supervisor:
    def __init__(self, options: Options, address: Tcp) -> None:
        self._options = options
        self._address: Address = address
        self._port = address.port
        self._stopping = asyncio.Event()
        self._waiting = options.workers
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(self) -> None:
        process.stop_on_signals(self._stopping, at_once=self._kill)
        if self._options.exit_with_parent:
            process.stop_at_end_of_input(self._stopping)
        keepers = [asyncio.create_task(self._keep(n)) for n in range(self._options.workers)]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*keepers, stopping], return_when=asyncio.FIRST_COMPLETED)
            failed = [task for task in done if task is not stopping]
            if failed and not self._stopping.is_set():
                raise CannotServe(str(failed[0].exception()))
            LOG.info("stopping: running calls have %g seconds to finish", self._options.grace)
        finally:
            self._stopping.set()
            await self._stop(keepers)

    async def _keep(self, number: int) -> None:
        """Keep a worker running."""
        failures, first = 0, True
        while not self._stopping.is_set():
            worker, ready = await self._start()
            self._running.add(worker)
            if self._stopping.is_set():
                worker.kill()
            try:
                was_ready = await self._until_ready(worker, ready)
                since = time.monotonic()
                if was_ready and first:
                    first = False
                    self._one_is_ready()
                code = await worker.wait()
            finally:
                self._running.discard(worker)
            if self._stopping.is_set():
                return
            if not was_ready and first and code == 2:
                raise _NeverReady("The workers cannot start; what they said is above.")
            if was_ready and time.monotonic() - since > _BACKOFF[-1]:
                failures = 0
            if failures >= len(_BACKOFF) and not was_ready:
                raise _NeverReady(
                    f"Worker {number} ended {failures + 1} times before it answered calls; "
                    "what it said is above."
                )
            pause = _BACKOFF[min(failures, len(_BACKOFF) - 1)]
            failures += 1
            LOG.error("worker %d %s; another one starts in %g s", worker.pid, _end(code), pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _start(self) -> tuple[asyncio.subprocess.Process, int]:
        ready, told = os.pipe()
        place = Place(self._port, told, os.getpid())
        try:
            worker = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(told,),
                # The terminal's Ctrl-C is for the supervisor, who tells the workers.
                process_group=0,
                env={**os.environ, _VARIABLE: json.dumps(asdict(place))},
            )
        except BaseException:
            os.close(ready)
            raise
        finally:
            os.close(told)
        return worker, ready

    async def _until_ready(self, worker: asyncio.subprocess.Process, ready: int) -> bool:
        """Whether a worker says that it is ready, before it ends."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ready, "rb", buffering=0)
        )
        try:
            return await reader.readline() == b"ready\n"
        finally:
            transport.close()

    def _one_is_ready(self) -> None:
        self._waiting -= 1
        if not self._waiting and not self._stopping.is_set():
            process.announce(self._address, self._options.port_file)

    async def _stop(self, keepers: list[asyncio.Task[None]]) -> None:
        self._signal(signal.SIGTERM)
        _, pending = await asyncio.wait(keepers, timeout=self._options.grace + _MARGIN)
        if pending:
            LOG.error("%d workers did not end in time, and are killed", len(self._running))
            self._kill()
            await asyncio.wait(pending)
        await asyncio.gather(*keepers, return_exceptions=True)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._running:
            with contextlib.suppress(ProcessLookupError):
                worker.send_signal(number)


def _end(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
