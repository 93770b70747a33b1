"""Takes messages of a stream with grpc.aio: ``seconds`` a line in, ``rate cpu`` a line out."""

from __future__ import annotations

import asyncio
import sys
import time

import grpc.aio


async def main(port: str, path: str) -> None:
    """Answer each line of standard input with a measurement."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        # Bytes out: nothing but the transport is measured.
        method = channel.unary_stream(path, request_serializer=None, response_deserializer=None)
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds = float(line)
            stop = time.perf_counter() + seconds
            before = time.process_time()
            call = method(b"")
            count = 0
            async for message in call:
                assert len(message) == 50
                count += 1
                if count % 1000 == 0 and time.perf_counter() >= stop:
                    break
            call.cancel()
            cpu = 1e6 * (time.process_time() - before) / count
            print(count / seconds, cpu, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
