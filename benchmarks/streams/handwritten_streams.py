"""A server as people write it: a servicer whose methods are generators."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc.aio
import lines
import streams_pb2 as pb  # type: ignore[import-not-found] # protoc makes it # pants: no-infer-dep
import streams_pb2_grpc as pb_grpc  # type: ignore[import-not-found] # too # pants: no-infer-dep


class Lines(pb_grpc.LinesServicer):  # type: ignore[misc] # not known before run time
    async def Tail(self, request: pb.TailRequest, context: Any) -> AsyncIterator[pb.TailResponse]:
        async for line in lines.tail(request.count):
            yield pb.TailResponse(result=line)

    def TailSync(self, request: pb.TailRequest, context: Any) -> Iterator[pb.TailResponse]:
        for line in lines.tail_sync(request.count):
            yield pb.TailResponse(result=line)

    async def Wait(self, request: pb.TailRequest, context: Any) -> AsyncIterator[pb.TailResponse]:
        async for line in lines.wait(request.count):
            yield pb.TailResponse(result=line)


async def serve() -> None:
    server = grpc.aio.server()
    pb_grpc.add_LinesServicer_to_server(Lines(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main() -> None:
    """Serve until standard input ends; ``uvloop`` asks for that event loop."""
    loop_factory = None
    if "uvloop" in sys.argv:
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve())


main()
