"""Clients that know nothing of this project, and ask the server what there is to call.

buf calls a method of each kind of every sample; in a process of its own for each, all would take
minutes. All are called by one of gRPC's own clients.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from samples import SAMPLES, Bridges
from servers import Server

BUF = os.environ.get("SYNAPSE_BUF") or shutil.which("buf")

pytestmark = pytest.mark.skipif(BUF is None, reason="needs buf (build-support/buf)")

# What it would come to if the method were not there, or could not be described.
NOT_REACHED = {"unimplemented", "unavailable"}


@pytest.fixture(params=[sample.name for sample in SAMPLES])
def server(request: pytest.FixtureRequest, bridges: Bridges, tmp_path: Path) -> Iterator[Server]:
    """The server of each sample."""
    with Server(bridges[request.param], tmp_path) as server:
        yield server


def curl(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``buf curl`` over plaintext HTTP/2, with the server's reflection as its only source."""
    assert BUF is not None
    path, *options = arguments
    return subprocess.run(
        [
            *(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *options),
            f"http://{server.target}{path}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": "/nonexistent", **os.environ},
    )


def methods_of(server: Server, channel: grpc.Channel) -> list[MethodDescriptor]:
    """The methods of the sample's own services, as the server describes them."""
    described = ProtoReflectionDescriptorDatabase(channel)
    pool = DescriptorPool(described)
    names = [name for name in described.get_services() if not name.startswith("grpc.")]
    return [method for name in names for method in pool.FindServiceByName(name).methods]


def outcome(channel: grpc.Channel, method: MethodDescriptor) -> str:
    """What becomes of a call with an empty request: ``ok`` or the code, in lower case."""
    kinds: dict[tuple[bool, bool], Any] = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    made = kinds[method.client_streaming, method.server_streaming](
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    request = GetMessageClass(method.input_type)()
    try:
        answer = made(iter([request]) if method.client_streaming else request, timeout=2)
        if method.server_streaming:
            next(answer, None)  # Some never end.
            answer.cancel()
    except grpc.RpcError as error:
        return str(error.code().name.lower())
    return "ok"


def test_every_method_can_be_called(server: Server) -> None:
    with grpc.insecure_channel(server.target) as channel:
        methods = methods_of(server, channel)
        assert methods
        for method in methods:
            assert outcome(channel, method) not in NOT_REACHED, method.full_name
    listed = curl(server, "", "--list-methods")
    assert listed.returncode == 0, listed.stderr
    paths = {one: f"{one.containing_service.full_name}/{one.name}" for one in methods}
    assert {*paths.values()} <= {*listed.stdout.split()}
    kinds = {(one.client_streaming, one.server_streaming): path for one, path in paths.items()}
    for path in kinds.values():
        done = curl(server, f"/{path}", "--data", "{}", "--timeout=2s")
        if done.returncode != 0:
            assert json.loads(done.stderr)["code"] not in NOT_REACHED, f"{path}: {done.stderr}"


def test_the_samples_have_every_kind_of_method(bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["streams"], tmp_path) as server:
        with grpc.insecure_channel(server.target) as channel:
            methods = methods_of(server, channel)
        kinds = {(one.client_streaming, one.server_streaming) for one in methods}
    assert kinds == {(False, False), (False, True), (True, False), (True, True)}


def test_values_cross(bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["evolving"], tmp_path) as server:
        data = {"item": {"sku": "a-1", "size": "3", "color": "COLOR_GREEN"}}
        done = curl(server, "/evolving.v1.EvolvingService/Price", "--data", json.dumps(data))
        assert json.loads(done.stdout)["result"] == {"total": "6", "item": data["item"]}


def test_violations_are_told(bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["evolving"], tmp_path) as server:
        done = curl(server, "/evolving.v1.EvolvingService/Price", "--data", '{"item": {}}')
        error = json.loads(done.stderr)
        assert error["code"] == "invalid_argument"
        assert "item.sku" in done.stderr


def test_what_is_generated_builds_and_passes_lint(bridges: Bridges) -> None:
    assert BUF is not None
    for bridge in bridges.values():
        for command in ("build", "lint"):
            done = subprocess.run(
                [BUF, command],
                cwd=bridge.folder / "proto",
                capture_output=True,
                text=True,
                check=False,
                env={"HOME": str(bridge.folder), **os.environ},
            )
            assert done.returncode == 0, f"{bridge.sample.name}: {done.stdout}{done.stderr}"
