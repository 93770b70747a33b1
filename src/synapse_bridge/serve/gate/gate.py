"""The gate: every call of a server passes here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

import grpc
import grpc.aio

from synapse_bridge.serve import call as calls
from synapse_bridge.serve.auth import Access
from synapse_bridge.serve.call import Call
from synapse_bridge.serve.exhausted import Exhausted, late
from synapse_bridge.serve.gate import kinds
from synapse_bridge.serve.gate.deadlines import Deadlines, Expired
from synapse_bridge.serve.gate.kinds import Handler, Respond
from synapse_bridge.serve.gate.limits import Limits
from synapse_bridge.serve.gate.metered import metered, size
from synapse_bridge.serve.gate.rule import Rule

Handlers: TypeAlias = "grpc.GenericRpcHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
End: TypeAlias = Callable[[grpc.StatusCode], None]

_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class Observer(Protocol):
    """Sees calls begin and end."""

    def begin(self, call: Call, context: Context) -> End:
        """Note that a call begins; what is returned is called with the code when it ends."""
        ...


class Gate(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
    """Lets calls through to other handlers, as rules, limits and credentials say.

    ``rule`` finds the rule of a method by its path. ``paths`` are the methods that there are;
    handlers of others (those that only tell a client its mistake) are not kept.
    """

    def __init__(
        self,
        handlers: Sequence[Handlers],
        paths: frozenset[str],
        rule: Callable[[str], Rule],
        limits: Limits,
        *,
        access: Access | None = None,
        observers: Sequence[Observer] = (),
        max_deadline: float | None = None,
        max_arrival: float | None = None,
    ) -> None:
        self._handlers = handlers
        self._paths = paths
        self._rule = rule
        self._limits = limits
        self._access = access
        self._observers = observers
        self._deadlines = Deadlines(max_deadline) if max_deadline else None
        self._arrivals = Deadlines(max_arrival) if max_arrival else None
        self._kept: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """What gRPC asks for the handler of a call."""
        path = handler_call_details.method
        if path in self._kept:
            return self._kept[path]
        found = (handlers.service(handler_call_details) for handlers in self._handlers)
        handler = self._guarded(path, next(filter(None, found), _NO_METHOD))
        if path in self._paths:
            self._kept[path] = handler
        return handler

    def _guarded(self, path: str, handler: Handler) -> Handler:
        rule = self._rule(path)
        respond = kinds.respond_of(handler)
        needs_identity = self._access is not None and not rule.open
        by_peer = self._limits.peer_calls is not None and rule.counted
        if needs_identity or by_peer:
            # Whoever is refused should not be able to make the server read their request.
            respond = _from_the_headers(handler, respond, self._arrivals)
            return kinds.from_the_headers(handler, self._followed(path, rule, respond))
        if self._observers or (self._deadlines and rule.bounded):
            return kinds.like(handler, self._followed(path, rule, respond))
        return kinds.like(handler, self._counted(respond)) if rule.counted else handler

    def _counted(self, respond: Respond) -> Respond:
        limits = self._limits

        async def handle(request: Any, context: Context) -> Any:
            try:
                limits.enter()
            except Exhausted as error:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            try:
                return await respond(request, context)
            except Exhausted as error:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            finally:
                limits.leave()

        return handle

    def _followed(self, path: str, rule: Rule, respond: Respond) -> Respond:
        passed = self._passed(rule, respond)

        async def handle(request: Any, context: Context) -> Any:
            call = Call(path, context.peer())
            calls.enter(call)
            ends = [observer.begin(call, context) for observer in self._observers]
            code = grpc.StatusCode.CANCELLED
            try:
                result = await passed(call, request, context)
                code = _code(context) or grpc.StatusCode.OK
                return result
            except asyncio.CancelledError:
                if context.time_remaining() == 0:
                    code = grpc.StatusCode.DEADLINE_EXCEEDED
                raise
            except BaseException as error:
                if not context.cancelled():
                    code = _code(context) or _code_of(error)
                raise
            finally:
                for end in reversed(ends):
                    end(code)

        return handle

    def _passed(self, rule: Rule, respond: Respond) -> Callable[[Call, Any, Context], Any]:
        """A call with its limits, credentials and permissions."""
        deadlines = self._deadlines if rule.bounded else None

        async def handle(call: Call, request: Any, context: Context) -> Any:
            counted = peer = None
            try:
                if rule.counted:
                    self._limits.enter()
                    counted = True
                    peer = self._limits.enter_peer(call.peer)
                if self._access is not None and not rule.open:
                    call.identity = await self._access.admit(call.method, rule.allow, context)
                if self._observers:
                    request, context = metered(call, request, context)
                if deadlines is None:
                    return _noted(call, await respond(request, context))
                return _noted(call, await _within(deadlines, call, respond, request, context))
            except Exhausted as error:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            finally:
                if peer is not None:
                    self._limits.leave_peer(peer)
                if counted:
                    self._limits.leave()

        return handle


def _noted(call: Call, result: Any) -> Any:
    call.sent += size(result)
    return result


async def _within(
    deadlines: Deadlines, call: Call, respond: Respond, request: Any, context: Context
) -> Any:
    """Respond in time, even where the client would wait for longer."""
    remaining = context.time_remaining()
    if remaining is not None and remaining <= deadlines.seconds:
        return await respond(request, context)
    call.expires = time.monotonic() + deadlines.seconds
    try:
        return await deadlines.within(respond(request, context))
    except Expired:
        text = f"The server ends calls after {deadlines.seconds:g} seconds (max_deadline)"
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, text)


def _from_the_headers(handler: Handler, respond: Respond, arrivals: Deadlines | None) -> Respond:
    """What a handler does, where its own kind is not the one that gRPC knows."""
    if handler.request_streaming and handler.response_streaming:
        return respond

    async def read(context: Context) -> Any:
        if arrivals is None:
            return await context.read()
        try:
            return await arrivals.within(context.read())
        except Expired:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, late(arrivals.seconds))

    async def handle(requests: Any, context: Context) -> None:
        request = requests if handler.request_streaming else await read(context)
        if request is kinds.EOF:
            text = "the request has no message"
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
        response = await respond(request, context)
        if not handler.response_streaming and _code(context) is None:
            await context.write(response)

    return handle


def _code(context: Context) -> grpc.StatusCode | None:
    """The code that a handler has set, if it has and it is not OK."""
    code: Any = context.code()  # the stubs say int, and it is what was set
    if isinstance(code, int):
        code = _CODES.get(code)
    return None if code is grpc.StatusCode.OK else code


def _code_of(error: BaseException) -> grpc.StatusCode:
    """The code that a transport makes of an exception: its own ones have it."""
    code = getattr(error, "code", None)
    return code if isinstance(code, grpc.StatusCode) else grpc.StatusCode.UNKNOWN


async def _no_method(requests: object, context: Context) -> NoReturn:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


_NO_METHOD: Handler = grpc.stream_stream_rpc_method_handler(_no_method)
