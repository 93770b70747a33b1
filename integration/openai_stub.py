"""A model provider that speaks OpenAI's chat completions, on loopback, and says what a test wants.

It answers ``POST …/chat/completions`` over HTTP/1.1, whole or as server-sent events, as the request
wishes (https://platform.openai.com/docs/api-reference/chat). What it answers is a function of the
request; every request is kept, with how it ended::

    with OpenAIStub(lambda request: Text("Hello", " there")) as stub:
        model = OpenAIChatModel("stub", provider=OpenAIProvider(stub.url, api_key="key"))
        ...
    assert stub.exchanges[0].ended.wait(5)

An answer that holds (:data:`HOLD`) goes on when the test says so, or ends when the client closes
the connection: that shows what arrives early, and who stops whom.
"""

from __future__ import annotations

import asyncio
import enum
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Hold(enum.Enum):
    """What stands among the pieces of a text."""

    HOLD = "nothing comes, not even the end, before Exchange.go_on()"


HOLD = Hold.HOLD


@dataclass(frozen=True, init=False)
class Text:
    """Text of the model, in the pieces in which a stream brings it, and places where it waits."""

    pieces: tuple[str | Hold, ...]

    def __init__(self, *pieces: str | Hold) -> None:
        object.__setattr__(self, "pieces", pieces)


@dataclass(frozen=True)
class ToolCalls:
    """Calls of tools: names and arguments. A stream brings the arguments in two pieces each."""

    calls: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Failure:
    """An HTTP error with a provider's text. The client is told not to try again."""

    status: int
    message: str


Answer = Text | ToolCalls | Failure


@dataclass
class Exchange:
    """A request, and what became of it."""

    headers: dict[str, str]
    """Names in lower case."""

    body: dict[str, Any]
    """The JSON document that was posted."""

    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the answer is complete, or the connection closed."""

    closed_by_client: bool = False
    """Whether the client closed the connection before the answer was complete."""

    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the answer shall hold no longer. It belongs to the stub's thread."""

    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @property
    def model(self) -> str:
        """Which model was asked."""
        return str(self.body["model"])

    @property
    def prompt(self) -> str:
        """The text of the last message of the user."""
        for message in reversed(self.body["messages"]):
            if message["role"] == "user":
                content = message["content"]
                if isinstance(content, str):
                    return content
                return "".join(part.get("text", "") for part in content)
        return ""

    def go_on(self) -> None:
        """Lets an answer that holds go on; from any thread."""
        self._loop.call_soon_threadsafe(self.released.set)


class OpenAIStub:
    """The provider. A context manager: it listens, in a thread of its own, until the block ends.

    What ``answer`` raises is raised at the end of the block.
    """

    def __init__(self, answer: Callable[[Exchange], Answer]) -> None:
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._arrived = threading.Condition()
        self._failures: list[Exception] = []
        self.exchanges: list[Exchange] = []
        """All requests so far, in the order of their arrival."""

        self.port = 0

    @property
    def url(self) -> str:
        """The base URL that clients are configured with."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> OpenAIStub:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if self._failures:
            raise self._failures[0]

    def exchange(self, prompt: str, seconds: float = 10) -> Exchange:
        """Waits for a request with this prompt; the last one if there are several."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self._find(prompt), seconds), (
                f"nobody asked {prompt!r}"
            )
            found = self._find(prompt)
            assert found is not None
            return found

    def obey(self, command: str) -> str:
        """Does what a suite says; the rest of a command is the prompt of a request.

        ``asked`` waits for the request (``yes``), ``closed`` for its end, and whether the client
        closed the connection (``yes`` or ``no``); ``go_on`` lets its answer go on (``ok``).
        """
        verb, _, prompt = command.partition(" ")
        exchange = self.exchange(prompt)
        match verb:
            case "asked":
                return "yes"
            case "closed":
                assert exchange.ended.wait(10), f"the answer to {prompt!r} does not end"
                return "yes" if exchange.closed_by_client else "no"
            case "go_on":
                exchange.go_on()
                return "ok"
        return f"no such command: {verb}"

    def _find(self, prompt: str) -> Exchange | None:
        return next((one for one in reversed(self.exchanges) if one.prompt == prompt), None)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # A client that goes away is what tests are about, and no failure.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._exchange(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        _, path, _ = head[0].split(" ")
        if not path.endswith("/chat/completions"):
            await _send(writer, 404, _error(f"there is no {path}"))
            return
        exchange = Exchange(headers, json.loads(body))
        with self._arrived:
            self.exchanges.append(exchange)
            self._arrived.notify_all()
        answering = asyncio.ensure_future(self._reply(exchange, writer))
        # Nothing is sent before the answer is complete, so what comes is the end of the connection.
        closing = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, closing}, return_when=asyncio.FIRST_COMPLETED)
            # A client that goes while something is being sent may be noticed by that first.
            if not answering.done() or isinstance(answering.exception(), ConnectionError):
                exchange.closed_by_client = True
                raise ConnectionResetError
            answering.result()
            if closing.done():
                raise ConnectionResetError
        finally:
            for task in (answering, closing):
                task.cancel()
            await asyncio.gather(answering, closing, return_exceptions=True)
            exchange.ended.set()

    async def _reply(self, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        try:
            answer = self._answer(exchange)
        except Exception as error:  # the test's own, which it is to hear of
            self._failures.append(error)
            answer = Failure(500, "the stub has no answer")
        if isinstance(answer, Failure):
            await _send(writer, answer.status, _error(answer.message), "x-should-retry: false")
        elif exchange.body.get("stream"):
            await _stream(writer, _chunks(answer, exchange))
        else:
            if isinstance(answer, Text) and HOLD in answer.pieces:
                await exchange.released.wait()
            await _send(writer, 200, _completion(answer, exchange.model))


async def _send(writer: asyncio.StreamWriter, status: int, document: object, *headers: str) -> None:
    body = json.dumps(document).encode()
    lines = (
        f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
    )
    writer.write("\r\n".join((*lines, "", "")).encode() + body)
    await writer.drain()


async def _stream(writer: asyncio.StreamWriter, events: AsyncIterator[str]) -> None:
    """Server-sent events, each a chunk of the transfer."""
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    async for event in events:
        data = f"data: {event}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _chunks(answer: Text | ToolCalls, exchange: Exchange) -> AsyncIterator[str]:
    """The events of a streamed completion, up to the mark of its end."""
    model = exchange.model
    match answer:
        case Text(pieces=pieces):
            for piece in pieces:
                if isinstance(piece, Hold):
                    await exchange.released.wait()
                else:
                    yield _chunk(model, {"role": "assistant", "content": piece})
            reason = "stop"
        case ToolCalls(calls=calls):
            for index, (name, arguments) in enumerate(calls):
                text = json.dumps(arguments)
                middle = len(text) // 2
                begin = {"name": name, "arguments": text[:middle]}
                call = {"index": index, "id": f"call_{index}", "type": "function"}
                yield _chunk(
                    model, {"role": "assistant", "tool_calls": [call | {"function": begin}]}
                )
                rest = {"index": index, "function": {"arguments": text[middle:]}}
                yield _chunk(model, {"tool_calls": [rest]})
            reason = "tool_calls"
    yield _chunk(model, {}, reason)
    yield json.dumps(_head("chat.completion.chunk", model) | {"choices": [], "usage": _USAGE})
    yield "[DONE]"


def _chunk(model: str, delta: Mapping[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps(_head("chat.completion.chunk", model) | {"choices": [choice]})


def _completion(answer: Text | ToolCalls, model: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    match answer:
        case Text(pieces=pieces):
            message["content"] = "".join(piece for piece in pieces if isinstance(piece, str))
            reason = "stop"
        case ToolCalls(calls=calls):
            message["tool_calls"] = [
                {
                    "id": f"call_{index}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for index, (name, arguments) in enumerate(calls)
            ]
            reason = "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return _head("chat.completion", model) | {"choices": [choice], "usage": _USAGE}


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-stub", "object": kind, "created": 1_700_000_000, "model": model}


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "stub_error", "param": None, "code": None}}


_USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
