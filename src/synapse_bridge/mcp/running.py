"""Serving tools in this process, over standard input and output or HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from mcp.server.stdio import stdio_server  # pants: no-infer-dep

from synapse_bridge.contract.model import Contract
from synapse_bridge.mcp.http import HTTP
from synapse_bridge.mcp.server import ToolServer
from synapse_bridge.mcp.tools import Tool
from synapse_bridge.serve import process
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.service import Service

LOG = logging.getLogger("synapse_bridge.mcp")


def over_stdio(
    contract: Contract, service: Service, tools: Sequence[Tool], options: Options
) -> None:
    """Serve the one client at the other end of standard input, until it closes that."""
    # The end of the input ends everything; the thread that reads it cannot be interrupted.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    async def serve() -> None:
        server = ToolServer(contract, service, tools, options)
        async with stdio_server() as (incoming, outgoing):
            begun = server.mcp.create_initialization_options()
            # The SDK keeps the descriptor for itself. What is printed and waits in Python's own
            # buffer would still get there, in the end.
            with contextlib.redirect_stdout(sys.stderr):
                await server.mcp.run(incoming, outgoing, begun)
        server.close()

    asyncio.run(serve())


def over_http(
    contract: Contract, service: Service, tools: Sequence[Tool], options: Options
) -> None:
    """Serve at an address until a signal, which is printed once requests are answered there.

    Raises :class:`~synapse_bridge.serve.CannotServe` if that is impossible.
    """

    async def serve() -> None:
        server = ToolServer(contract, service, tools, options)
        http = HTTP(server, options)
        stop = asyncio.Event()
        process.stop_on_signals(stop)
        if options.exit_with_parent:
            process.stop_at_end_of_input(stop)

        async def stopped() -> None:
            await stop.wait()
            LOG.info("stopping: running calls have %g seconds to finish", options.grace)
            http.stop()

        stopping = asyncio.create_task(stopped())
        await http.run(lambda: process.announce(http.address, options.port_file, http.url))
        stopping.cancel()
        server.close()

    asyncio.run(serve())


@contextlib.contextmanager
def standard_output_kept() -> Iterator[None]:
    """What is printed meanwhile goes to standard error: a client reads messages from the other."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)
