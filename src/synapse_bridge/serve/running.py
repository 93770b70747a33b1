"""Running a server in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from synapse_bridge.serve import process
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import Server
from synapse_bridge.serve.service import Service
from synapse_bridge.serve.workers import Place

LOG = logging.getLogger("synapse_bridge.serve")


def run(service: Service, options: Options, place: Place | None = None) -> None:
    """Serve until a signal, or with ``exit_with_parent`` until the end of standard input.

    ``place`` is that of a worker, which tells its supervisor that it is ready, and not the world.
    Raises :class:`~synapse_bridge.serve.CannotServe` if the server cannot start.
    """
    if place:
        options = place.applied(options)
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(_serve(service, options, place))


async def _serve(service: Service, options: Options, place: Place | None) -> None:
    server = Server(service, options)
    stop = asyncio.Event()
    process.stop_on_signals(stop)
    if options.exit_with_parent:
        process.stop_at_end_of_input(stop)
    address = await server.start()
    if place:
        place.tell_ready()
    else:
        process.announce(address, options.port_file)
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
