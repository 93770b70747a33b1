"""Calls beyond a limit are refused at once, of every kind, whatever their peer does."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
import pytest

from synapse_bridge.serve import call as calls
from synapse_bridge.serve import http2
from synapse_bridge.serve.auth import Access
from synapse_bridge.serve.conftest import in_loop
from synapse_bridge.serve.gate import Gate, Limits, Rule
from synapse_bridge.serve.gate.limits import host_of
from synapse_bridge.serve.identity import Identity


class _Grpcio:
    """grpcio's server, as ours is called."""

    def __init__(self) -> None:
        self._server = grpc.aio.server()
        self.add_generic_rpc_handlers = self._server.add_generic_rpc_handlers
        self.start = self._server.start
        self.stop = self._server.stop

    def bind(self, host: str, port: int) -> int:
        return self._server.add_insecure_port(f"{host}:{port}")


_SERVER: ContextVar[Any] = ContextVar("server")


@pytest.fixture(params=[http2.Server, _Grpcio], autouse=True)
def _transport(request: pytest.FixtureRequest) -> Iterator[None]:
    token = _SERVER.set(request.param)
    yield
    _SERVER.reset(token)


KINDS = ("Unary", "ClientStream", "ServerStream", "Written", "Bidi")


class Handlers:
    """One method of each kind: they answer with what they get."""

    def __init__(self) -> None:
        self.running = 0
        self.go = asyncio.Event()
        self.go.set()
        self.identity: Identity | None = None

    async def unary(self, request: bytes, context: Any) -> bytes:
        await self._wait()
        return request

    async def client_stream(self, requests: Any, context: Any) -> bytes:
        await self._wait()
        return b"".join([request async for request in requests])

    async def server_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        await self._wait()
        for n in range(len(request)):
            yield request[n : n + 1]

    async def written(self, request: bytes, context: Any) -> None:
        await self._wait()
        for n in range(len(request)):
            await context.write(request[n : n + 1])

    async def bidi(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        await self._wait()
        async for request in requests:
            yield request

    async def _wait(self) -> None:
        self.running += 1
        call = calls.current()
        self.identity = call.identity if call else None
        try:
            await self.go.wait()
        finally:
            self.running -= 1

    def generic(self) -> Any:
        return grpc.method_handlers_generic_handler(
            "s",
            {
                "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
                "ClientStream": grpc.stream_unary_rpc_method_handler(self.client_stream),
                "ServerStream": grpc.unary_stream_rpc_method_handler(self.server_stream),
                "Written": grpc.unary_stream_rpc_method_handler(self.written),
                "Bidi": grpc.stream_stream_rpc_method_handler(self.bidi),
            },
        )


class Log:
    """Remembers calls and how they ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str, int, int]] = []

    def begin(self, call: calls.Call, context: Any) -> Any:
        def end(code: grpc.StatusCode) -> None:
            self.ended.append((call.method, code.name, call.received, call.sent))

        return end


@asynccontextmanager
async def serving(
    handlers: Handlers, limits: Limits | None = None, rule: Rule | None = None, **options: Any
) -> AsyncIterator[grpc.Channel]:
    gate = Gate(
        [handlers.generic()],
        frozenset(f"/s/{kind}" for kind in KINDS),
        lambda path: rule or Rule(),
        limits or Limits(1000),
        **options,
    )
    server = _SERVER.get()()
    server.add_generic_rpc_handlers([gate])
    port = server.bind("127.0.0.1", 0)
    await server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        handlers.go.set()
        await server.stop(None)


async def ask(channel: grpc.Channel, kind: str, **options: Any) -> bytes:
    """Call a method with ``b"abc"``, in pieces where it takes a stream."""
    options = {"timeout": 20, **options}
    path = f"/s/{kind}"
    pieces = iter((b"a", b"b", b"c"))
    call: Any
    match kind:
        case "Unary":
            call = channel.unary_unary(path, bytes, bytes).future(b"abc", **options)
        case "ClientStream":
            call = channel.stream_unary(path, bytes, bytes).future(pieces, **options)
        case "Bidi":
            call = channel.stream_stream(path, bytes, bytes)(pieces, **options)
        case _:
            call = channel.unary_stream(path, bytes, bytes)(b"abc", **options)
    whole = call.result if kind in ("Unary", "ClientStream") else lambda: b"".join(call)
    try:
        return await asyncio.to_thread(whole)
    except asyncio.CancelledError:
        call.cancel()
        raise


async def code(channel: grpc.Channel, kind: str, **options: Any) -> str:
    try:
        await ask(channel, kind, **options)
    except grpc.RpcError as error:
        return failed(error).name
    return "OK"


def failed(error: grpc.RpcError) -> grpc.StatusCode:
    """The code of a failure."""
    code: grpc.StatusCode = error.code()
    return code


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def known(credentials: Any) -> Identity | None:
    return Identity("alice", "token", frozenset({"reader"})) if credentials.bearer == "x" else None


AUTHORIZED = {"metadata": (("authorization", "Bearer x"),)}


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_every_kind_passes_unchanged(kind: str) -> None:
    handlers, log = Handlers(), Log()
    async with serving(handlers) as channel:
        assert await ask(channel, kind) == b"abc"
    async with serving(handlers, observers=[log], max_deadline=20) as channel:
        assert await ask(channel, kind) == b"abc"
    async with serving(handlers, observers=[log], access=Access([known])) as channel:
        assert await ask(channel, kind, **AUTHORIZED) == b"abc"
        assert handlers.identity is not None
        assert handlers.identity.name == "alice"
    assert log.ended == [(f"/s/{kind}", "OK", 3, 3)] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"access": Access([known])}, {"observers": [Log()]}])
@in_loop
async def test_calls_beyond_the_limit_are_refused_at_once(
    kind: str, options: dict[str, Any]
) -> None:
    handlers, limits = Handlers(), Limits(2)
    handlers.go.clear()
    async with serving(handlers, limits, **options) as channel:
        waiting = [asyncio.create_task(ask(channel, kind, **AUTHORIZED)) for _ in range(2)]
        await until(lambda: handlers.running == 2)
        with pytest.raises(grpc.RpcError, match=r"at most 2 calls at once \(max_calls\)") as e:
            await ask(channel, kind, **AUTHORIZED)
        assert failed(e.value) == grpc.StatusCode.RESOURCE_EXHAUSTED
        handlers.go.set()
        assert await asyncio.gather(*waiting) == [b"abc"] * 2
        assert await ask(channel, kind, **AUTHORIZED) == b"abc"
        await until(lambda: limits.running == 0)


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_peer_has_a_limit_of_its_own(kind: str) -> None:
    handlers, limits = Handlers(), Limits(1000, 1)
    handlers.go.clear()
    async with serving(handlers, limits) as channel:
        waiting = asyncio.create_task(ask(channel, kind))
        await until(lambda: handlers.running == 1)
        with pytest.raises(grpc.RpcError, match="max_peer_calls") as refused:
            await ask(channel, kind)
        assert failed(refused.value) == grpc.StatusCode.RESOURCE_EXHAUSTED
        waiting.cancel()
        await until(lambda: not limits.peers and not limits.running)


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_cancelled_call_is_counted_out_and_told(kind: str) -> None:
    handlers, limits, log = Handlers(), Limits(1000), Log()
    handlers.go.clear()
    async with serving(handlers, limits, observers=[log]) as channel:
        waiting = asyncio.create_task(ask(channel, kind))
        await until(lambda: handlers.running == 1)
        waiting.cancel()
        await until(lambda: not handlers.running and not limits.running and log.ended)
    assert [ended[:2] for ended in log.ended] == [(f"/s/{kind}", "CANCELLED")]


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_no_call_is_longer_than_the_server_allows(kind: str) -> None:
    handlers, log = Handlers(), Log()
    handlers.go.clear()
    async with serving(handlers, max_deadline=0.1, observers=[log]) as channel:
        for options in ({"timeout": None}, {"timeout": 20}):
            with pytest.raises(grpc.RpcError, match="max_deadline") as refused:
                await ask(channel, kind, **options)
            assert failed(refused.value) == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: not handlers.running)
    assert [ended[1] for ended in log.ended] == ["DEADLINE_EXCEEDED"] * 2


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_stranger_is_refused_before_the_request_is_read(kind: str) -> None:
    handlers = Handlers()
    async with serving(handlers, access=Access([known])) as channel:
        # A stream that says nothing: a server that wanted a request first would wait for it.
        silence = queue.SimpleQueue[None]()
        call = channel.stream_stream(f"/s/{kind}", bytes, bytes)(
            iter(silence.get, None), timeout=20
        )
        assert await asyncio.to_thread(call.code) == grpc.StatusCode.UNAUTHENTICATED
        assert call.details() == "The call has no valid credentials"
        silence.put(None)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(), "OK"),
        (Rule(allow=frozenset({"alice"})), "OK"),
        (Rule(allow=frozenset({"reader", "admin"})), "OK"),
        (Rule(allow=frozenset({"*"})), "OK"),
        (Rule(allow=frozenset({"bob"})), "PERMISSION_DENIED"),
        (Rule(allow=frozenset()), "PERMISSION_DENIED"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_list_says_who_may_call(kind: str, rule: Rule, expected: str) -> None:
    async with serving(Handlers(), rule=rule, access=Access([known])) as channel:
        assert await code(channel, kind, **AUTHORIZED) == expected


@in_loop
async def test_an_open_method_needs_no_credentials() -> None:
    async with serving(Handlers(), rule=Rule(open=True), access=Access([known])) as channel:
        assert await ask(channel, "Unary") == b"abc"


@in_loop
async def test_an_authorizer_decides_after_the_lists(caplog: pytest.LogCaptureFixture) -> None:
    async def may(identity: Identity, method: str) -> bool:
        if method == "/s/Bidi":
            raise ZeroDivisionError
        return method == "/s/Unary"

    async with serving(Handlers(), access=Access([known], may)) as channel:
        assert await code(channel, "Unary", **AUTHORIZED) == "OK"
        assert await code(channel, "Written", **AUTHORIZED) == "PERMISSION_DENIED"
        assert await code(channel, "Bidi", **AUTHORIZED) == "PERMISSION_DENIED"
    assert "the authorizer failed for /s/Bidi" in caplog.text


@in_loop
async def test_an_authenticator_that_fails_recognizes_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(credentials: Any) -> None:
        raise ZeroDivisionError

    async with serving(Handlers(), access=Access([broken, known])) as channel:
        assert await code(channel, "Unary", **AUTHORIZED) == "OK"
        assert await code(channel, "Unary") == "UNAUTHENTICATED"
    assert "an authenticator failed" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", "x"),),
        (("authorization", "Basic x"),),
        (("authorization", "Bearer "),),
        (("authorization", "Bearer y"),),
        (("authorization", "Bearer x"), ("authorization", "Bearer x")),
    ],
)
@in_loop
async def test_only_one_right_bearer_token_counts(headers: Any) -> None:
    async with serving(Handlers(), access=Access([known])) as channel:
        assert await code(channel, "Unary", metadata=headers) == "UNAUTHENTICATED"


@in_loop
async def test_an_unknown_method_is_told_to_those_who_may_call() -> None:
    log = Log()
    async with serving(Handlers(), access=Access([known]), observers=[log]) as channel:
        assert await code(channel, "Gone", **AUTHORIZED) == "UNIMPLEMENTED"
        assert await code(channel, "Gone") == "UNAUTHENTICATED"
    assert [ended[:2] for ended in log.ended] == [
        ("/s/Gone", "UNIMPLEMENTED"),
        ("/s/Gone", "UNAUTHENTICATED"),
    ]


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:192.0.2.1:50412", "ipv4:192.0.2.1"),
        ("ipv6:[2001:db8::1]:50412", "ipv6:[2001:db8::1]"),
        ("ipv6:%5B::1%5D:50412", "ipv6:%5B::1%5D"),
        ("unix:", "unix:"),
        ("unix:/run/s.sock", "unix:/run/s.sock"),
    ],
)
def test_a_peer_is_its_address_without_the_port(peer: str, host: str) -> None:
    assert host_of(peer) == host
