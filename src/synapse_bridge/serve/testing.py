"""The functions of ``testdata/streaming.py`` on a server in this process, for tests."""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status

from synapse_bridge.generate import generate
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import Server
from synapse_bridge.serve.service import Service

TESTDATA = Path(__file__).parent / "testdata"


@cache
def bridge() -> tuple[Any, Any, Service]:
    """The module, its protobuf classes, and its service as generated."""
    folder = Path(tempfile.mkdtemp(prefix="streaming-"))
    sys.path[:0] = [str(TESTDATA), str(folder)]
    for name, content in generate(introspect("streaming")).items():
        if name.startswith("python/"):
            data = content.encode() if isinstance(content, str) else content
            (folder / Path(name).name).write_bytes(data)
    module = importlib.import_module("streaming")
    pb = importlib.import_module("streaming_pb2")
    return module, pb, importlib.import_module("streaming_server").SERVICE


@dataclass(frozen=True)
class Failure:
    """The end of a call that failed, and the results that came before."""

    error: grpc.aio.AioRpcError
    results: list[Any]

    @property
    def code(self) -> grpc.StatusCode:
        return self.error.code()

    @property
    def text(self) -> str:
        return self.error.details() or ""

    @property
    def trailers(self) -> dict[str, Any]:
        return dict(self.error.trailing_metadata())  # type: ignore[arg-type] # pairs

    def detail(self, message: Any) -> Any:
        """The detail of the message's type, in that message; ``None`` if there is none."""
        status = Status.FromString(self.trailers["grpc-status-details-bin"])
        return next((message for one in status.details if one.Unpack(message)), None)


class Client:
    """Calls by Python names, with plain requests."""

    def __init__(self, server: Server, channel: grpc.aio.Channel) -> None:
        self.server = server
        self.channel = channel
        self.module, self.pb, self.service = bridge()

    def request(self, method: str, **fields: Any) -> Any:
        """A request of a method."""
        name = "".join(part.capitalize() for part in method.split("_"))
        return getattr(self.pb, f"{name}Request")(**fields)

    def call(self, method: str, request: Any, **options: Any) -> Any:
        """Begin a call; ``request`` is one, or any (async) iterable of them."""
        name = "".join(part.capitalize() for part in method.split("_"))
        rpc = self.pb.DESCRIPTOR.services_by_name["StreamingService"].methods_by_name[name]
        kind = "_".join(
            "stream" if streams else "unary"
            for streams in (rpc.client_streaming, rpc.server_streaming)
        )
        make: Callable[..., Any] = getattr(self.channel, kind)
        stub = make(
            f"/{self.service.name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(self.pb, f"{name}Response").FromString,
        )
        return stub(request, **{"timeout": 20, **options})

    async def results(self, method: str, request: Any, **options: Any) -> list[Any]:
        """All results of a call that gives a stream."""
        return [response.result async for response in self.call(method, request, **options)]

    async def result(self, method: str, request: Any, **options: Any) -> Any:
        """The result of a call that gives one."""
        return (await self.call(method, request, **options)).result

    async def failure(self, method: str, request: Any, **options: Any) -> Failure:
        """How a call fails, and what it gave before."""
        call = self.call(method, request, **options)
        found = []
        try:
            if hasattr(call, "__aiter__"):
                async for response in call:
                    found.append(response.result)
            else:
                await call
        except grpc.aio.AioRpcError as error:
            return Failure(error, found)
        raise AssertionError(f"{method} does not fail")

    def numbers(self, method: str, numbers: Iterable[int], **fields: Any) -> list[Any]:
        """Requests with a number each, the first one with the other fields, too."""
        found = [self.request(method, numbers=number) for number in numbers]
        if fields:
            found[:1] = [self.request(method, numbers=found[0].numbers, **fields)]
        return found


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Client]:
    """A server, and a client with a connection of its own."""
    module, _, service = bridge()
    module.SEEN.clear()
    server = Server(service, Options(**{"grace": 0.5, "max_workers": 4, **options}))
    address = await server.start()
    own = [("grpc.use_local_subchannel_pool", 1)]
    try:
        async with grpc.aio.insecure_channel(str(address), options=own) as channel:
            yield Client(server, channel)
    finally:
        await server.stop()


def run(
    test: Callable[[Client], Coroutine[Any, Any, None]], *, seconds: float = 60, **options: Any
) -> None:
    """Run a test on each transport, in an event loop of its own, for so long at most."""

    async def main(transport: str) -> None:
        async with serving(transport=transport, **options) as client:
            await asyncio.wait_for(test(client), seconds)

    for transport in ("http2", "grpcio"):
        try:
            asyncio.run(main(transport))
        except BaseException as error:
            error.add_note(f"on the transport {transport}")
            raise


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)
