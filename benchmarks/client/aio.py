"""Makes unary calls with grpc.aio: ``seconds in_flight`` a line in, ``rate cpu`` a line out.

Or one after the other: ``latency seconds``, and ``p50 p90`` in microseconds.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time

import grpc.aio

Unary = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


async def main(port: str, path: str, *messages: str) -> None:
    """Answer each line of standard input with a measurement."""
    request, response = map(base64.b64decode, messages)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        # Bytes in, bytes out: nothing but the transport is measured.
        call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        while line := await asyncio.to_thread(sys.stdin.readline):
            what, number = line.split()
            if what == "latency":
                print(*await _latency(call, request, response, float(number)), flush=True)
                continue
            stop = time.perf_counter() + float(what)
            before = time.process_time()
            loops = [_call(call, request, response, stop) for _ in range(int(number))]
            calls = sum(await asyncio.gather(*loops))
            cpu = 1e6 * (time.process_time() - before) / calls
            print(calls / float(what), cpu, flush=True)


async def _call(call: Unary, request: bytes, response: bytes, stop: float) -> int:
    calls = 0
    while time.perf_counter() < stop:
        assert await call(request, timeout=10) == response
        calls += 1
    return calls


async def _latency(
    call: Unary, request: bytes, response: bytes, seconds: float
) -> tuple[float, float]:
    stop = time.perf_counter() + seconds
    times = []
    while (before := time.perf_counter()) < stop:
        assert await call(request, timeout=10) == response
        times.append(1e6 * (time.perf_counter() - before))
    times.sort()
    return times[len(times) // 2], times[len(times) * 9 // 10]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
