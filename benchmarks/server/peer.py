"""The same functions, served by pydantic-rpc, which writes its code to the working directory."""

# pydantic-rpc reads annotations as they are, so they must not be postponed here.
import sys

import grpc.aio
import orders
from pydantic import BaseModel
from serving import serve

# Where there is an SDK of MCP, it wants its version 1. It serves gRPC without any.
sys.modules["mcp"] = None  # type: ignore[assignment] # which says that there is none
from pydantic_rpc import AsyncIOServer  # noqa: E402


class Greeting(BaseModel):
    text: str


class Peer:
    async def greet(self, data: orders.InputData) -> Greeting:
        return Greeting(text=await orders.greet(data))

    async def price(self, order: orders.Order) -> orders.Quote:
        return await orders.price(order)


def make() -> grpc.aio.Server:
    server = AsyncIOServer()
    server.mount(Peer(), "peer")
    return server._server


serve(make)
