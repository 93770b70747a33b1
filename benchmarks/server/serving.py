"""How every benchmarked server runs: in its own process, on a free loopback port."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import grpc.aio


def serve(make: Callable[[], grpc.aio.Server]) -> None:
    """Serve what ``make`` makes until standard input ends, and say where.

    ``uvloop`` on the command line asks for that event loop instead of the default one.
    """
    loop_factory = None
    if "uvloop" in sys.argv:
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(make))


async def _serve(make: Callable[[], grpc.aio.Server]) -> None:
    server = make()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)
