"""A method on the wire: request bytes in, response bytes out, or a status."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from pydantic_core import ValidationError

from synapse_bridge.serve import arguments, exact, unreadable
from synapse_bridge.serve.failure import (
    Failures,
    InvalidArguments,
    InvalidRequest,
    ResultMismatch,
)
from synapse_bridge.serve.service import Method
from synapse_bridge.serve.threads import Threads

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = Callable[[bytes, Context], Awaitable[bytes]]


class Endpoint:
    """Reads requests, calls the function, writes responses.

    A sync function runs in a thread, and so does all that belongs to its call: validators of the
    user's models may block, too. An async function runs in the event loop.
    """

    def __init__(self, method: Method, failures: Failures, threads: Threads) -> None:
        self._method = method
        self._failures = failures
        self._threads = threads
        self._arguments = unreadable.checked(method.arguments)
        self._validate = arguments.validator(method.function)
        self._call = arguments.caller(method.function)
        self._check = exact.checker(arguments.hints(method.function).get("return", Any))

    def handler(self) -> Handler:
        """What gRPC calls."""
        is_async = inspect.iscoroutinefunction(self._method.function)
        return self._handle_async if is_async else self._handle_sync

    async def _handle_sync(self, request: bytes, context: Context) -> bytes:
        response = await self._threads.run(self._respond, request)
        return await _abort(context, response) if isinstance(response, Status) else response

    async def _handle_async(self, request: bytes, context: Context) -> bytes:
        try:
            return self._write(await self._call(self._read(request)))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # The client has gone, its deadline has passed, or the server stops.
            status = self._failures.status(self._method.name, error)
        except BaseException as error:
            status = self._failures.status(self._method.name, error)
        return await _abort(context, status)

    def _respond(self, request: bytes) -> bytes | Status:
        try:
            return self._write(self._call(self._read(request)))
        except BaseException as error:  # Also SystemExit: it ends the call and not the server.
            return self._failures.status(self._method.name, error)

    def _read(self, request: bytes) -> dict[str, Any]:
        """The validated arguments that a request carries."""
        try:
            message = self._method.request.FromString(request)
        except DecodeError as error:
            raise InvalidRequest(self._method.request.DESCRIPTOR.full_name) from error
        try:
            return self._validate(self._arguments(message))
        except ValidationError as error:
            raise InvalidArguments from error

    def _write(self, result: Any) -> bytes:
        """The response that carries a result."""
        try:
            self._check.check(result)
        except ValidationError as error:
            raise ResultMismatch.of(error) from None
        try:
            message = self._method.response(result)
        except Exception as error:
            # Not the function's failure, so its type must not decide about the code.
            raise RuntimeError("the result cannot be converted to its message") from error
        response = message.SerializeToString()
        if self._check.recursive:
            # Serializing knows no limit of depth, but parsing does.
            try:
                type(message).FromString(response)
            except DecodeError:
                raise ResultMismatch("result: nested deeper than 100 levels") from None
        return response


async def _abort(context: Context, status: Status) -> NoReturn:
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
