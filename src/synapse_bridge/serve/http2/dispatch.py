"""Finds the handler of a call and runs it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, TypeAlias

import grpc
import grpc.aio

from synapse_bridge.serve.http2.context import Context
from synapse_bridge.serve.http2.fields import Metadata
from synapse_bridge.serve.http2.messages import Refused
from synapse_bridge.serve.http2.stream import Gone, Stream

LOG = logging.getLogger("synapse_bridge.serve")


class CallDetails(NamedTuple):
    """What a generic handler chooses by; grpcio's ``HandlerCallDetails``."""

    method: str
    invocation_metadata: Metadata


Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Dispatch:
    """The handlers of a server, and the calls that run.

    A call with one request message begins when that is there; all others with their header block.
    """

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler[Any, Any]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    def begin(self, stream: Stream) -> None:
        """A call has come."""
        if stream.request.timeout is not None:
            stream.deadline = self._loop.time() + stream.request.timeout
            stream.timer = self._loop.call_at(stream.deadline, _expire, stream)
        stream.handler = self._find(CallDetails(stream.request.path, stream.request.metadata))
        if stream.handler is None or stream.handler.request_streaming or stream.ended:
            self._start(stream)

    def complete(self, stream: Stream) -> None:
        """All messages of a call's request have come."""
        if stream.task is None and not stream.closed:
            self._start(stream)

    def _find(self, details: Any) -> Handler | None:
        for handler in self.handlers:
            found = handler.service(details)
            if found is not None:
                return found
        return None

    def _start(self, stream: Stream) -> None:
        stream.task = self._loop.create_task(self._run(stream))

    async def _run(self, stream: Stream) -> None:
        # Not sooner: a task that is cancelled before its first step never takes one.
        task = stream.task
        assert task is not None
        self.tasks.add(task)
        context = Context(stream)
        try:
            handler = stream.handler
            if handler is None:
                raise Refused(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
            await _handle(handler, stream, context)
        except grpc.aio.AbortError:
            _finish(stream, context.code(), context.details(), context.trailing_metadata())
        except Refused as refused:
            stream.finish(refused.code, refused.message, context.trailing_metadata())
        except Gone:
            pass
        except asyncio.CancelledError:
            # The stream is closed already if it was the peer; else the server stops.
            stream.finish(grpc.StatusCode.UNAVAILABLE, "the server stops")
        except Exception:
            LOG.exception("%s: the handler raised", stream.request.path)
            stream.finish(grpc.StatusCode.UNKNOWN, "the handler of the call raised an exception")
        finally:
            context.finished()
            self.tasks.discard(task)
            stream.task = None


async def _handle(handler: Handler, stream: Stream, context: Context) -> None:
    context.serialize = serialize = handler.response_serializer
    context.deserialize = deserialize = handler.request_deserializer
    request: Any
    behaviour: Any
    if handler.request_streaming:
        request = _requests(stream, deserialize)
    else:
        request = await stream.read_only()
        if deserialize is not None:
            request = deserialize(request)
    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream
        await _stream_responses(behaviour(request, context), stream, serialize)
    else:
        behaviour = handler.stream_unary or handler.unary_unary
        response = behaviour(request, context)
        if inspect.isawaitable(response):
            response = await response
        if context.code() is grpc.StatusCode.OK:
            data = serialize(response) if serialize is not None else response
            if not context.trailing_metadata():
                await stream.respond(data)
                return
            await stream.send(data)
    _finish(stream, context.code(), context.details(), context.trailing_metadata())


async def _requests(
    stream: Stream, deserialize: Callable[[bytes], Any] | None
) -> AsyncIterator[Any]:
    while (message := await stream.read()) is not None:
        yield deserialize(message) if deserialize is not None else message


async def _stream_responses(
    responses: Any, stream: Stream, serialize: Callable[[Any], bytes] | None
) -> None:
    if not hasattr(responses, "__aiter__"):
        await responses  # It writes through the context.
        return
    try:
        async for response in responses:
            await stream.send(serialize(response) if serialize is not None else response)
    finally:
        close = getattr(responses, "aclose", None)
        if close is not None:
            await close()


def _finish(stream: Stream, code: grpc.StatusCode, details: str, metadata: Metadata) -> None:
    try:
        stream.finish(code, details, metadata)
    except ValueError:
        LOG.exception("%s: the trailing metadata cannot be sent", stream.request.path)
        stream.finish(grpc.StatusCode.INTERNAL, "the trailing metadata cannot be sent")


def _expire(stream: Stream) -> None:
    stream.refuse(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed")
