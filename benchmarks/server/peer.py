"""The same functions, served by pydantic-rpc, which writes its code to the working directory."""

# pydantic-rpc reads annotations as they are, so they must not be postponed here.
import grpc.aio
import orders
from pydantic import BaseModel
from pydantic_rpc import AsyncIOServer
from serving import serve


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
