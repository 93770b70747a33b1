"""Measures what open streams cost a server that has nothing to say: memory for each.

    python benchmarks/streams/idle_streams.py [--streams N]

Every server has a process of its own. A client opens the streams on one connection, and reads one
message of each; then the server's resident memory is compared with that before.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
from compare_stream_servers import CONTESTANTS, Contestant, Target, prepare, start


def main() -> None:
    """Measure each server and print the table."""
    parser = argparse.ArgumentParser(description="Measure what open streams cost.")
    parser.add_argument("--streams", type=int, default=10_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(folder)
        for contestant in CONTESTANTS:
            with start(contestant, folder, messages=1) as (target, *_):
                each = asyncio.run(_measure(contestant, target, options.streams))
            print(f"{contestant.name:32}{each:>12,.0f} bytes for each stream", flush=True)


async def _measure(contestant: Contestant, target: Target, streams: int) -> float:
    pb: Any = importlib.import_module(contestant.pb2)
    request = getattr(pb, "WaitRequest", None) or pb.TailRequest
    address = target.url.removeprefix("http://").partition("/")[0]
    async with grpc.aio.insecure_channel(address) as channel:
        stub = channel.unary_stream(f"/{contestant.service}/Wait", request.SerializeToString, bytes)
        warm = await _open(stub, request(count=1), 100)
        before = psutil.Process(target.pid).memory_info().rss
        calls = await _open(stub, request(count=1), streams)
        each = (psutil.Process(target.pid).memory_info().rss - before) / streams
        for call in (*warm, *calls):
            call.cancel()
        await asyncio.gather(*(call.code() for call in (*warm, *calls)))
    return each


async def _open(stub: Any, request: Any, streams: int) -> list[Any]:
    """Open so many, some at a time; who does not hold a call cancels it."""
    calls: list[Any] = []
    for _ in range(0, streams, 100):
        calls += [stub(request) for _ in range(100)]
        await asyncio.gather(*(call.read() for call in calls[-100:]))
    return calls


if __name__ == "__main__":
    main()
