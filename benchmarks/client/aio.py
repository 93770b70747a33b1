"""Makes unary calls with grpc.aio: ``seconds in_flight`` a line in, ``rate cpu`` a line out."""

from __future__ import annotations

import asyncio
import sys
import time

import grpc.aio


async def main(port: str, path: str, request: str) -> None:
    """Answer each line of standard input with a measurement."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        # Bytes in, bytes out: nothing but the transport is measured.
        call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds, in_flight = line.split()
            stop = time.perf_counter() + float(seconds)
            before = time.process_time()
            loops = [_call(call, request.encode(), stop) for _ in range(int(in_flight))]
            calls = sum(await asyncio.gather(*loops))
            cpu = 1e6 * (time.process_time() - before) / calls
            print(calls / float(seconds), cpu, flush=True)


async def _call(
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], request: bytes, stop: float
) -> int:
    calls = 0
    while time.perf_counter() < stop:
        assert await call(request, timeout=10) == b"Hello, World!"
        calls += 1
    return calls


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
