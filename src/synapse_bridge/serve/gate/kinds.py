"""The four kinds of methods as one: a coroutine that returns one response, or writes many."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import grpc.aio

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lag behind
"""What a context reads where there is no request any more."""
Respond: TypeAlias = Callable[[Any, Any], Awaitable[Any]]
"""Takes a request (or an iterator of requests) and gRPC's context."""

_MAKERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def respond_of(handler: Handler) -> Respond:
    """What a handler does, as a coroutine that returns its response or writes its responses."""
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return handler.unary_unary  # type: ignore[return-value] # the stubs know sync ones only
        case True, False:
            return handler.stream_unary  # type: ignore[return-value]
        case False, True:
            generate: Any = handler.unary_stream
        case _:
            generate = handler.stream_stream
    if not inspect.isasyncgenfunction(generate):
        return generate  # type: ignore[no-any-return] # a coroutine that writes to the context

    async def write_all(request: Any, context: Any) -> None:
        async with aclosing(generate(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write_all


def like(handler: Handler, respond: Respond) -> Handler:
    """A handler of the same kind that does something else."""
    make = _MAKERS[handler.request_streaming, handler.response_streaming]
    return make(respond, handler.request_deserializer, handler.response_serializer)


def from_the_headers(handler: Handler, respond: Respond) -> Handler:
    """A handler that runs from the moment a call's headers are there.

    gRPC reads the request of a unary method before it calls the handler. That of a stream it leaves
    to the handler, and on the wire there is no difference.
    """
    return grpc.stream_stream_rpc_method_handler(
        respond,
        handler.request_deserializer,
        handler.response_serializer,
    )
