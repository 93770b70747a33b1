"""A method on the wire: requests in, responses out, or a status. All four kinds of call.

A sync function runs in a thread, and so does all that belongs to its call: validators of the
user's models may block, too. An async function runs in the event loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping
from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from synapse_bridge.context import Context
from synapse_bridge.serve import arguments
from synapse_bridge.serve import call as calls
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.declared import Declared
from synapse_bridge.serve.failure import DeadlineExceeded, Failures, fitted, room
from synapse_bridge.serve.incoming import BlockingIncoming, GRPCContext, Incoming
from synapse_bridge.serve.outgoing import Outgoing
from synapse_bridge.serve.service import Method
from synapse_bridge.serve.threads import Threads

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

# By whether requests and responses are streams.
_KINDS: Mapping[tuple[bool, bool], Callable[[Any], Any]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}

_CONTRACT = "synapse-contract"


class Endpoint:
    """Reads requests, calls the function, writes responses.

    ``codec`` is what they are made of, where that is not protobuf's bytes.
    """

    def __init__(
        self, method: Method, failures: Failures, threads: Threads, codec: Codec | None = None
    ) -> None:
        self._method = method
        self._failures = failures
        self._threads = threads
        self._codec = codec or Codec(method)
        self._call = arguments.caller(method.function)
        self._crossing = Declared(method).crossing
        self._is_async = inspect.iscoroutinefunction(method.function) or (
            method.streams_result and arguments.gives_async_stream(method.function)
        )

    def handler(self) -> Handler:
        """What gRPC calls: a coroutine that returns its response, or writes its responses."""
        method = self._method
        handle = self._handle
        if not (method.stream or method.streams_result or method.context or method.timeout):
            handle = self._handle_async if self._is_async else self._handle_sync
        made: Handler = _KINDS[method.stream is not None, method.streams_result](handle)
        return made

    # A request, a response, and nothing else: what most calls are, without a detour.

    async def _handle_sync(self, request: bytes, context: GRPCContext) -> bytes:
        if self._is_stale(context):
            await self._tell_contract(context)
        answer = (request, dict[str, Any](), None)
        response = await self._threads.run(self._respond, answer)
        return await _abort(context, response) if isinstance(response, Status) else response

    async def _handle_async(self, request: bytes, context: GRPCContext) -> bytes:
        if self._is_stale(context):
            await self._tell_contract(context)
        try:
            return self._codec.response(await self._call(self._arguments(request)))
        except BaseException as error:
            status = self._status(error)
        return await _abort(context, status)

    # Calls of all kinds.

    async def _handle(self, request: Any, context: GRPCContext) -> bytes | None:
        if self._is_stale(context):
            await self._tell_contract(context)
        given: dict[str, Any] = {}
        told = incoming = None
        limit = self._limit(context)
        if self._method.context:
            told = given[self._method.context] = _told(context, limit)
        if self._method.stream:
            kind = Incoming if self._is_async else BlockingIncoming
            incoming = kind(self._codec, context, alone=not self._method.streams_result)
        try:
            async with asyncio.timeout(limit) as timeout:
                response = await self._answer(request, given, incoming, context)
        except BaseException as error:  # The client has gone, or the time is over.
            if told is not None:
                told.cancel()
            if not (isinstance(error, TimeoutError) and timeout.expired()):
                raise
            response = self._status(DeadlineExceeded(self._method.timeout))
        finally:
            if isinstance(incoming, BlockingIncoming):
                incoming.close()
        if incoming is not None:
            await incoming.settled()
        trailing = told.trailing_metadata if told is not None else ()
        if isinstance(response, Status):
            await _abort(context, response, trailing)
        if trailing:
            context.set_trailing_metadata(trailing)
        return response

    async def _answer(
        self, request: Any, given: dict[str, Any], incoming: Incoming | None, context: GRPCContext
    ) -> bytes | Status | None:
        if incoming is not None:
            assert self._method.stream
            try:
                request = await incoming.first() if self._codec.has_arguments else None
            except Exception as error:
                return self._status(error)
            if isinstance(incoming, BlockingIncoming):
                incoming.feed()
                given[self._method.stream] = incoming.blocking_items()
            else:
                given[self._method.stream] = incoming.items()
        answer = (request, given, incoming)
        if self._is_async and self._method.streams_result:
            return await self._stream_async(answer, context)
        if self._is_async:
            return await self._respond_async(answer)
        if self._method.streams_result:
            return await self._stream_sync(self._responses(answer), context)
        return await self._threads.run(self._respond, answer)

    # Sync functions, in a thread.

    def _respond(self, answer: _Answer) -> bytes | Status:
        request, given, incoming = answer
        try:
            result = self._call(self._arguments(request) | given)
            _check(incoming)
            return self._codec.response(result)
        except BaseException as error:  # Also SystemExit: it ends the call and not the server.
            return self._failed(error)

    async def _stream_sync(
        self, responses: Generator[bytes, None, None], context: GRPCContext
    ) -> Status | None:
        return await Outgoing(responses, self._threads, self._failed).send(context.write)

    def _responses(self, answer: _Answer) -> Generator[bytes, None, None]:
        request, given, incoming = answer
        yield from self._encoded(self._call(self._arguments(request) | given), incoming)

    def _encoded(
        self, results: Iterable[Any], incoming: Incoming | None
    ) -> Generator[bytes, None, None]:
        """The responses of an iterator, which is closed with this one."""
        write = self._codec.response
        try:
            for index, item in enumerate(results):
                yield write(item, index)
            _check(incoming)
        finally:
            close = getattr(results, "close", None)
            if close is not None:
                close()

    # Async functions, in the event loop.

    async def _respond_async(self, answer: _Answer) -> bytes | Status:
        request, given, incoming = answer
        try:
            result = await self._call(self._arguments(request) | given)
            _check(incoming)
            return self._codec.response(result)
        except BaseException as error:
            return self._status(error)

    async def _stream_async(self, answer: _Answer, context: GRPCContext) -> Status | None:
        request, given, incoming = answer
        try:
            results = self._call(self._arguments(request) | given)
            if inspect.isawaitable(results):
                results = await results
        except BaseException as error:
            return self._status(error)
        if not hasattr(results, "__aiter__"):
            return await self._stream_sync(self._encoded(results, incoming), context)
        write, encode, index = context.write, self._codec.response, 0
        try:
            async for item in results:
                response = encode(item, index)
                index += 1
                try:
                    await write(response)
                except Exception as error:
                    raise _NotSent from error
            _check(incoming)
            return None
        except _NotSent as error:
            raise error.__cause__ or error from None
        except BaseException as error:
            return self._status(error)
        finally:
            await self._close(results)

    async def _close(self, results: AsyncIterator[Any]) -> None:
        """Let an async generator come to its end, wherever it is."""
        close = getattr(results, "aclose", None)
        if close is None:
            return
        try:
            await close()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._status(error)  # Nobody else would log it.

    # What they share.

    def _arguments(self, request: bytes | Message | None) -> dict[str, Any]:
        if request is None:
            return {}
        if isinstance(request, bytes):
            request = self._codec.request(request)
        return self._codec.arguments(request)

    def _failed(self, error: BaseException) -> Status:
        """The status of what a function raised."""
        return self._failures.status(self._method.name, error, self._crossing)

    def _status(self, error: BaseException) -> Status:
        """The same in the event loop, where cancellation from outside goes on as it is."""
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise error  # The client has gone, its deadline has passed, or the server stops.
        return self._failed(error)

    def _limit(self, context: GRPCContext) -> float | None:
        """The seconds after which the server ends a call, where the client would wait longer."""
        if self._method.timeout is None:
            return None
        remaining = context.time_remaining()
        patient = remaining is None or remaining > self._method.timeout
        return self._method.timeout if patient else None

    def _is_stale(self, context: GRPCContext) -> bool:
        """Whether the client says that it was generated from another contract."""
        for key, value in context.invocation_metadata() or ():
            if key == _CONTRACT:
                return value != self._failures.contract
        return False

    async def _tell_contract(self, context: GRPCContext) -> None:
        await context.send_initial_metadata(((_CONTRACT, self._failures.contract),))


_Answer: TypeAlias = "tuple[bytes | Message | None, dict[str, Any], Incoming | None]"


class _NotSent(Exception):
    """A response could not be written: the client has gone."""


def _check(incoming: Incoming | None) -> None:
    """Whatever the function made of it, an invalid item makes the call fail."""
    if incoming is not None and incoming.failure is not None:
        raise incoming.failure


def _told(context: GRPCContext, limit: float | None) -> Context:
    """What a function gets to know of its call."""
    metadata: Any = context.invocation_metadata()
    call = calls.current()
    ends = (limit, context.time_remaining(), call.time_remaining() if call else None)
    return Context(
        timeout=min((end for end in ends if end is not None), default=None),
        metadata=metadata,
        peer=context.peer(),
        identity=call.identity if call else None,
        correlation_id=calls.correlation_id(),
        gone=context.cancelled,
    )


async def _abort(
    context: GRPCContext, status: Status, trailing: tuple[tuple[str, str | bytes], ...] = ()
) -> NoReturn:
    # Our own transport knows what the client has said; grpcio does not tell.
    largest: int | None = getattr(context, "peer_max_header_list", None)
    rich = rpc_status.to_status(fitted(status, room(largest)))
    await context.abort(rich.code, rich.details, (*rich.trailing_metadata, *trailing))
