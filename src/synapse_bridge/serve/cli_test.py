"""Servers start, say where they are, and stop as told."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from synapse_bridge.serve.conftest import start, started, stub


def test_the_port_is_printed_and_written_once_the_server_answers(folder: Path, pb: Any) -> None:
    port_file = folder / "port"
    with started(folder, "--port-file", str(port_file)) as server:
        assert port_file.read_text() == server.address.rpartition(":")[2] + "\n"
        assert server.call("Text", pb.TextRequest(text="hello")).result == "hello"
    assert not list(folder.glob("tmp*"))


def test_a_port_in_use_is_told_without_a_traceback(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(folder, "--port", str(port))
        _, error = server.communicate(timeout=20)
    assert server.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in error
    assert "--port 0" in error
    assert "Traceback" not in error


def test_two_servers_do_not_share_a_port_unless_asked(folder: Path, pb: Any) -> None:
    with started(folder, "--reuse-port") as first:
        port = first.address.rpartition(":")[2]
        alone = start(folder, "--port", port)
        _, error = alone.communicate(timeout=20)
        assert alone.returncode == 2
        assert "Address already in use" in error
        with started(folder, "--port", port, "--reuse-port") as second:
            assert second.address == first.address


def test_an_unknown_host_is_told(folder: Path) -> None:
    server = start(folder, "--host", "no-such-host.invalid")
    _, error = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "Cannot listen on no-such-host.invalid:0" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_calls_finish(folder: Path, pb: Any, number: signal.Signals) -> None:
    with started(folder, "--grace", "20") as server, server.channel() as channel:
        waiting = stub(channel, "Wait").future(pb.SecondsRequest(seconds=4.0), timeout=20)
        blocking = stub(channel, "Block").future(pb.SecondsRequest(seconds=4.0), timeout=20)
        watched = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(), timeout=20
        )
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        server.until("CountRunning", 2)
        server.process.send_signal(number)
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
        # Nobody has to end their watch for the server to end.
        assert list(watched) == []
        assert waiting.result() == pb.NoneResponse()
        assert blocking.result().result == 1
        assert server.process.wait(timeout=10) == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
def test_who_watches_the_health_holds_nothing_up(folder: Path, transport: str) -> None:
    options = ("--grace", "60", "--transport", transport)
    with started(folder, *options) as server, server.channel() as channel:
        stub_ = health_pb2_grpc.HealthStub(channel)
        known, unknown = (
            stub_.Watch(health_pb2.HealthCheckRequest(service=service), timeout=20)
            for service in ("probe.v1.ProbeService", "another")
        )
        assert next(known).status == health_pb2.HealthCheckResponse.SERVING
        assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        server.process.terminate()
        assert [response.status for response in known] == [
            health_pb2.HealthCheckResponse.NOT_SERVING
        ]
        assert list(unknown) == []
        assert server.process.wait(timeout=10) == 0


def test_calls_that_outlast_the_grace_are_cancelled(folder: Path, pb: Any) -> None:
    with started(folder, "--grace", "0.3") as server, server.channel() as channel:
        waiting = stub(channel, "Wait").future(pb.SecondsRequest(seconds=60.0), timeout=20)
        blocking = stub(channel, "Block").future(pb.SecondsRequest(seconds=60.0), timeout=20)
        server.until("CountRunning", 2)
        server.process.terminate()
        assert server.process.wait(timeout=10) == 0
        for call in (waiting, blocking):
            assert call.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)


def test_a_second_signal_ends_the_process_at_once(folder: Path, pb: Any) -> None:
    with started(folder, "--grace", "60") as server, server.channel() as channel:
        waiting = stub(channel, "Wait").future(pb.SecondsRequest(seconds=60.0), timeout=20)
        watched = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(), timeout=20
        )
        server.until("CountRunning", 1)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        server.process.terminate()
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
        server.process.terminate()
        assert server.process.wait(timeout=10) == -signal.SIGTERM
        assert waiting.code() == grpc.StatusCode.UNAVAILABLE


def test_a_server_stops_with_its_parent(folder: Path) -> None:
    with started(folder) as server:
        assert server.process.stdin
        server.process.stdin.close()
        assert server.process.wait(timeout=10) == 0


def test_a_server_outlives_its_standard_input_unless_told(folder: Path) -> None:
    server = start(folder)
    assert server.stdin
    assert server.stdout
    try:
        server.stdin.close()
        assert server.stdout.readline().startswith("listening on")
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(timeout=0.5)
    finally:
        server.kill()
        server.wait()


def test_requests_and_responses_beyond_the_limit_are_refused(folder: Path, pb: Any) -> None:
    with started(folder, "--max-message", "1000") as server:
        assert server.call("Text", pb.TextRequest(text="x" * 900)).result == "x" * 900
        failure = server.failure("Text", pb.TextRequest(text="x" * 1001))
        assert failure.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        names = ["x" * 400] * 2
        order = {"number": 1, "items": [{"sku": "a"}] * 2}
        failure = server.failure("Echo", pb.EchoRequest(order=order, names=names))
        assert failure.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_wrong_option_is_told(folder: Path) -> None:
    server = start(folder, "--max-workers", "0")
    _, error = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "--max-workers" in error
