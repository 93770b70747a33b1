"""The limit: grpc.aio itself, with a handler that returns prepared bytes."""

from __future__ import annotations

import grpc
import grpc.aio
from serving import serve

RESPONSE = bytes(40)


async def answer(request: bytes, context: object) -> bytes:
    return RESPONSE


def make() -> grpc.aio.Server:
    server = grpc.aio.server()
    handlers = {name: grpc.unary_unary_rpc_method_handler(answer) for name in ("Greet", "Price")}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("handwritten.Orders", handlers)]
    )
    return server


serve(make)
