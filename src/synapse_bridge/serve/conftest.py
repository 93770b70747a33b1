"""A server for the tests, of the functions in ``testdata/probe.py``."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, ParamSpec

import grpc
import pytest
from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs

P = ParamSpec("P")
TESTDATA = Path(__file__).parent / "testdata"


@dataclass(frozen=True)
class Running:
    """A server process."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def call(self, method: str, request: Any, timeout: float | None = 20) -> Any:
        """Call a method of the probe; the response is decoded by the method's name."""
        with self.channel() as channel:
            return stub(channel, method)(request, timeout=timeout)

    def failure(self, method: str, request: Any, timeout: float | None = 20) -> grpc.Call:
        """Call a method that must fail."""
        with pytest.raises(grpc.RpcError) as raised:
            self.call(method, request, timeout)
        assert isinstance(raised.value, grpc.Call)
        return raised.value

    def until(self, method: str, count: int) -> None:
        """Wait until a counting method of the probe says ``count``, or more."""
        import probe_pb2 as pb  # type: ignore[import-not-found]  # pants: no-infer-dep

        deadline = time.monotonic() + 20
        while (found := self.call(method, pb.NothingRequest()).result) < count:
            assert time.monotonic() < deadline, f"{method} stays at {found}"
            time.sleep(0.02)

    def channel(self) -> grpc.Channel:
        """A new connection."""
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        return grpc.insecure_channel(self.address, options=unlimited)


def refused(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> str:
    """What a server says that must not start."""
    server = start(folder, *options, env=env)
    _, error = server.communicate(timeout=60)
    assert server.returncode == 2, error
    assert "Traceback" not in error
    return error


def code_of(call: Callable[[], Any]) -> grpc.StatusCode:
    """The code that a call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), timeout=60))

    return run


def stub(channel: grpc.Channel, method: str) -> Any:
    """What calls a method of the probe."""
    # Made by the fixture `folder`.
    import probe_pb2 as pb  # pants: no-infer-dep

    name = pb.DESCRIPTOR.services_by_name["ProbeService"].methods_by_name[method].output_type.name
    return channel.unary_unary(
        f"/probe.v1.ProbeService/{method}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=getattr(pb, name).FromString,
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the probe, its protobuf code and its server."""
    folder = tmp_path_factory.mktemp("probe")
    for name in ("probe.py", "probe_server.py"):
        shutil.copy(TESTDATA / name, folder)
    arguments = ["protoc", f"-I{TESTDATA}", f"--python_out={folder}", "probe.proto"]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="session")
def pb(folder: Path) -> Any:
    """The protobuf classes of the probe."""
    import probe_pb2  # pants: no-infer-dep

    return probe_pb2


@contextmanager
def started(
    folder: Path,
    *options: str,
    env: Mapping[str, str] | None = None,
    script: str = "probe_server.py",
) -> Iterator[Running]:
    """A server process, which is stopped in the end."""
    log = folder / f"log-{os.urandom(4).hex()}"
    with log.open("w") as stderr:
        process = start(
            folder, "--exit-with-parent", *options, stderr=stderr, env=env, script=script
        )
    assert process.stdout
    assert process.stdin
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on "), log.read_text()
        yield Running(process, line.split()[-1], log)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=30)
        finally:
            process.kill()


def start(
    folder: Path,
    *options: str,
    stderr: Any = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    script: str | None = "probe_server.py",
) -> subprocess.Popen[str]:
    """A server process as it begins."""
    scripts = (str(folder / script),) if script else ()
    command: Sequence[str] = (sys.executable, *scripts, *options)
    source = str(Path(str(files("synapse_bridge"))).parent)
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([source, *sys.path]), **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


@pytest.fixture(scope="session", params=["http2", "grpcio"])
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A server with four threads, on either transport."""
    with started(folder, "--max-workers", "4", "--transport", request.param) as running:
        yield running


@pytest.fixture(scope="session")
def debug_server(folder: Path) -> Iterator[Running]:
    """A server with ``--debug``."""
    with started(folder, "--debug") as running:
        yield running
