"""A TCP proxy on loopback that does to connections what bad networks do.

Every link is a port of its own that leads to one server, with faults of its own. A direction is
``up`` (to the server) or ``down``; a position is a number of bytes in that direction since the
fault was set, so that a fault strikes at the same point of a call in every run.

========== ======= ===============================================================
fault      number  what happens
========== ======= ===============================================================
delay      ms      every piece of data comes so much later
split      --      every byte is sent alone
throttle   bytes   so many of them in a second
corrupt    at      the byte at that position has all its bits turned, once
reset      at      both connections are reset before that byte, once
close      at      the receiver gets the end of the stream before that byte, once
stall      at      from that byte on nothing comes through, until one end closes
========== ======= ===============================================================
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from faults.rogue import SCENARIOS, Crowd, Rogue, Scenario

PATIENCE: Final = 15.0
"""Seconds that :meth:`Proxy.struck` waits for a fault to strike."""
_READ: Final = 65_536
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Fault:
    """What is to happen in one direction; ``passed`` counts the bytes since it was set."""

    kind: str = "none"
    number: int = 0
    passed: int = 0
    struck: bool = False

    def here(self, size: int) -> int | None:
        """Where in the next ``size`` bytes a fault with a position is to strike."""
        at = self.number - self.passed
        return at if not self.struck and 0 <= at < size else None


@dataclass(eq=False)
class Link:
    """A port that leads to a server: its faults, and its open connections."""

    upstream: int
    faults: dict[str, Fault] = field(default_factory=lambda: {"up": Fault(), "down": Fault()})
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def set(self, direction: str, fault: Fault) -> None:
        """From now on, ``fault`` is what happens."""
        self.struck.clear()
        self.faults[direction] = fault

    def strike(self, fault: Fault) -> None:
        fault.struck = True
        self.struck.set()

    def abort(self) -> None:
        """Reset all connections."""
        for writer in list(self.writers):
            bound = writer.get_extra_info("socket")
            with suppress(OSError):
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client that has come with the server."""
        self.writers.add(writer)
        try:
            there, out = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            self.writers.discard(writer)
            writer.transport.abort()
            return
        self.writers.add(out)
        try:
            await asyncio.gather(self._pump(reader, out, "up"), self._pump(there, writer, "down"))
        finally:
            for one in (writer, out):
                self.writers.discard(one)
                one.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: str
    ) -> None:
        try:
            while data := await source.read(_READ):
                if not await self._pass(data, sink, direction):
                    await _swallow(source)
                    break
            if sink.can_write_eof() and not sink.is_closing():
                sink.write_eof()
        except OSError:
            self.abort()

    async def _pass(self, data: bytes, sink: asyncio.StreamWriter, direction: str) -> bool:
        """Send ``data`` on as the fault wants it; whether any more may follow."""
        fault = self.faults[direction]
        here = fault.here(len(data))
        fault.passed += len(data)
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.number / 1000)
            case "split":
                for index in range(len(data) - 1):
                    sink.write(data[index : index + 1])
                    await asyncio.sleep(0)
                data = data[-1:]
            case "throttle":
                await asyncio.sleep(len(data) / fault.number)
            case "corrupt" if here is not None:
                data = data[:here] + bytes([data[here] ^ 0xFF]) + data[here + 1 :]
                self.strike(fault)
            case "reset" if here is not None:
                sink.write(data[:here])
                self.strike(fault)
                self.abort()
                return False
            case "close" if here is not None:
                sink.write(data[:here])
                sink.write_eof()
                self.strike(fault)
                return False
            case "stall" if here is not None:
                sink.write(data[:here])
                self.strike(fault)
                return False
        sink.write(data)
        await sink.drain()
        return True


async def _listen(scenario: Scenario) -> str:
    return str(await Rogue(scenario).listen())


async def _swallow(source: asyncio.StreamReader) -> None:
    while await source.read(_READ):
        pass


class Proxy:
    """Links, in a thread of their own. Use it as a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: dict[int, Link] = {}
        self._numbers = itertools.count(1)
        self._crowd = Crowd()

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def obey(self, command: str, upstream: int) -> str:
        """Do what a line says: ``link``, ``fault``, ``clear``, ``passed`` or ``struck``; or
        ``rogue`` and ``crowd``, which answer with the port of a bad server (:mod:`faults.rogue`).

        ``upstream`` is the port that new links lead to.
        """
        match command.split():
            case ["link"]:
                return self._run(self._open(upstream))
            case ["fault", link, kind, direction, number]:
                fault = Fault(kind, int(number))
                return self._soon(lambda: self._links[int(link)].set(direction, fault))
            case ["clear", link]:
                return self._soon(lambda: self._clear(self._links[int(link)]))
            case ["passed", link]:
                faults = self._links[int(link)].faults
                return f"{faults['up'].passed} {faults['down'].passed}"
            case ["struck", link]:
                return self._run(self._struck(self._links[int(link)]))
            case ["crowd"]:
                return self._run(_listen(self._crowd))
            case ["crowded"]:
                return self._run(self._crowd.told())
            case ["rogue", *words]:
                return self._run(_listen(SCENARIOS[" ".join(words)]))
        return f"no such command: {command}"

    async def _open(self, upstream: int) -> str:
        link = Link(upstream)
        server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
        number = next(self._numbers)
        self._links[number] = link
        return f"{number} {server.sockets[0].getsockname()[1]}"

    async def _struck(self, link: Link) -> str:
        try:
            await asyncio.wait_for(link.struck.wait(), PATIENCE)
        except TimeoutError:
            return "no"
        return "yes"

    def _clear(self, link: Link) -> None:
        for direction in link.faults:
            link.set(direction, Fault())

    def _run(self, work: Coroutine[Any, Any, str]) -> str:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE + 5)

    def _soon(self, change: Callable[[], None]) -> str:
        async def now() -> str:
            change()
            return "ok"

        return self._run(now())
