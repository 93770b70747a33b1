"""Limits of a server, as its clients notice them."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from synapse_bridge.serve.conftest import code_of, started, stub

TRANSPORTS = ("http2", "grpcio")


def _as_they_end(calls: list[Any]) -> Iterator[Any]:
    ended = queue.SimpleQueue[Any]()
    for call in calls:
        call.add_done_callback(ended.put)
    return (ended.get(timeout=20) for _ in calls)


def test_sync_calls_beyond_threads_and_queue_are_refused(folder: Path, pb: Any) -> None:
    options = ("--max-workers", "1", "--max-queue", "1", "--grace", "0.1")
    with started(folder, *options) as server, server.channel() as channel:
        block = stub(channel, "Block")
        running = block.future(pb.SecondsRequest(seconds=60.0), timeout=60)
        server.until("CountRunning", 1)
        two = [block.future(pb.SecondsRequest(seconds=0.0), timeout=60) for _ in range(2)]
        # One of the two waits, and the other one is refused at once.
        refused = next(_as_they_end(two))
        assert refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "max_queue" in refused.details()
        assert [call.done() for call in (running, *two)].count(False) == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("option", ["--max-calls", "--max-peer-calls"])
def test_many_calls_beyond_the_limit_are_told_which_it_is(
    folder: Path, pb: Any, transport: str, option: str
) -> None:
    options = ("--transport", transport, option, "2")
    with started(folder, *options) as server, server.channel() as channel:
        wait = stub(channel, "Wait")

        def begin() -> Any:
            return wait.future(pb.SecondsRequest(seconds=60.0), timeout=60)

        # They are in before others are tried; no call is free to ask the server whether. The one
        # that tries may take the place of one of them, which is begun again then.
        running, code = [begin(), begin()], None
        while code is not grpc.StatusCode.RESOURCE_EXHAUSTED or any(c.done() for c in running):
            running = [begin() if call.done() else call for call in running]
            code = code_of(lambda: wait(pb.SecondsRequest(seconds=0.0), timeout=20))
        # More than the transport takes at once: they wait for each other, and none for the two.
        more = [wait.future(pb.SecondsRequest(seconds=0.0), timeout=20) for _ in range(300)]
        codes = {(call.code(), option[2:].replace("-", "_") in call.details()) for call in more}
        assert codes == {(grpc.StatusCode.RESOURCE_EXHAUSTED, True)}
        assert not any(call.done() for call in running)
        for call in running:
            call.cancel()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_metadata_beyond_the_limit_is_refused(folder: Path, pb: Any, transport: str) -> None:
    options = ("--max-header", "2000", "--transport", transport)
    with started(folder, *options) as server, server.channel() as channel:
        text = stub(channel, "Text")
        request = pb.TextRequest(text="hello")
        metadata = (("x", "y" * 3000),)
        code = code_of(lambda: text(request, metadata=metadata, timeout=20))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert text(request, timeout=20).result == "hello"


@pytest.mark.parametrize("credentials", [(), ("--max-peer-calls", "9")], ids=["open", "at once"])
def test_a_request_that_does_not_arrive_is_refused(
    folder: Path, credentials: tuple[str, ...]
) -> None:
    """Also where the call begins with its headers, and waits for the request itself."""
    options = ("--max-arrival", "0.3", *credentials)
    with started(folder, *options) as server, server.channel() as channel:
        never = threading.Event()
        # On the wire the request of a unary call is a stream of one message.
        method = channel.stream_unary(
            "/probe.v1.ProbeService/Text", request_serializer=None, response_deserializer=None
        )
        call = method.future(_after(never), timeout=20)
        assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "within 0.3 seconds (max_arrival)" in call.details()
        never.set()


def _after(event: threading.Event) -> Iterator[bytes]:
    event.wait()
    yield b""


def test_requests_that_are_too_much_together_are_refused(folder: Path, pb: Any) -> None:
    options = ("--max-pending", "100000")
    with started(folder, *options) as server, server.channel() as channel:
        text = stub(channel, "Text")
        with pytest.raises(grpc.RpcError, match="at most 100000 bytes of requests") as error:
            text(pb.TextRequest(text="x" * 200_000), timeout=20)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(text(pb.TextRequest(text="x" * 90_000), timeout=20).result) == 90_000


def test_the_access_log_has_a_line_for_every_call(folder: Path, pb: Any) -> None:
    with started(folder, "--access-log", "json") as server:
        server.call("Text", pb.TextRequest(text="secret"))
        server.failure("Fail", pb.TextRequest(text="zero"))
        server.process.terminate()
        server.process.wait(timeout=10)
        log = server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [(line["method"], line["code"]) for line in lines] == [
        ("/probe.v1.ProbeService/Text", "OK"),
        ("/probe.v1.ProbeService/Fail", "INTERNAL"),
    ]
    assert lines[0]["received"] == lines[0]["sent"] == 8
    assert lines[0]["peer"].startswith("ipv4:127.0.0.1:")
    assert lines[0]["identity"] is None
    assert 0 < lines[0]["ms"] < 20_000
    # The failure's own lines are found by the id.
    assert f"raised builtins.ZeroDivisionError [{lines[1]['id']}]" in log
    assert "secret" not in log.replace("the secret text", "")
