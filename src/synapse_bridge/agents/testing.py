"""The agents of ``testdata/desk.py`` on a server in this process, for tests."""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grpc.aio

from synapse_bridge.generate import generate
from synapse_bridge.introspect import Wanted, introspect
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import Server
from synapse_bridge.serve.service import Service
from synapse_bridge.serve.testing import Failure

TESTDATA = Path(__file__).parent / "testdata"
AGENTS = (
    Wanted("support_agent", deps_factory="desk:open_desk", expose=True),
    Wanted("weather_agent"),
    Wanted("counter_agent"),
    Wanted("poet", models=("test",)),
)


@cache
def bridge() -> tuple[Any, Any, Service]:
    """The module, its protobuf classes, and its service as generated."""
    folder = Path(tempfile.mkdtemp(prefix="agents-"))
    sys.path[:0] = [str(TESTDATA), str(folder)]
    for name, content in generate(introspect("desk", None, agents=AGENTS)).items():
        if name.startswith("python/"):
            data = content.encode() if isinstance(content, str) else content
            (folder / Path(name).name).write_bytes(data)
    module = importlib.import_module("desk")
    pb = importlib.import_module("desk_pb2")
    return module, pb, importlib.import_module("desk_server").SERVICE


class Client:
    """Calls methods by their names."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.module, self.pb, self.service = bridge()
        self._channel = channel

    def request(self, method: str, **fields: Any) -> Any:
        """A request of a method; a prompt may be a text, and `deps` a name."""
        if isinstance(fields.get("prompt"), str):
            fields["prompt"] = {"str_value": fields["prompt"]}
        if method in ("support_run", "support_run_stream", "support_session"):
            fields.setdefault("deps", {"name": "Ada"})
        return getattr(self.pb, f"{_camelized(method)}Request")(**fields)

    def call(self, method: str, requests: Any, **options: Any) -> Any:
        """Begin a call; for a session, ``requests`` is an iterable of them."""
        name = _camelized(method)
        rpc = self.pb.DESCRIPTOR.services_by_name["DeskService"].methods_by_name[name]
        streaming = (rpc.client_streaming, rpc.server_streaming)
        kind = "_".join("stream" if streams else "unary" for streams in streaming)
        make: Callable[..., Any] = getattr(self._channel, kind)
        stub = make(
            f"/{self.service.name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(self.pb, f"{name}Response").FromString,
        )
        return stub(requests, **{"timeout": 20, **options})

    async def result(self, method: str, **fields: Any) -> Any:
        """The result of a unary call."""
        return (await self.call(method, self.request(method, **fields))).result

    async def events(self, method: str, **fields: Any) -> list[tuple[str, Any]]:
        """All events of a run, by what they are."""
        call = self.call(method, self.request(method, **fields))
        return [told(response) async for response in call]

    async def failure(self, method: str, **fields: Any) -> Failure:
        """How a call fails, and what it gave before."""
        call = self.call(method, self.request(method, **fields))
        return await failure_of(call)


async def failure_of(call: Any) -> Failure:
    """How a call fails, and the events that came before."""
    found = []
    try:
        if hasattr(call, "__aiter__"):
            async for response in call:
                found.append(told(response))
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return Failure(error, found)
    raise AssertionError("the call does not fail")


def told(response: Any) -> tuple[str, Any]:
    """An event of a response, by what it is."""
    kind = response.result.WhichOneof("value")
    return kind, getattr(response.result, kind)


def _camelized(method: str) -> str:
    return "".join(part.capitalize() for part in method.split("_"))


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
            yield Client(channel)
    finally:
        await server.stop()


def run(test: Callable[[Client], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a test in an event loop of its own, for so long at most."""

    async def main() -> None:
        async with serving(**options) as client:
            await asyncio.wait_for(test(client), 30)

    asyncio.run(main())
