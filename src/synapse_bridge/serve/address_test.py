"""Addresses are parsed exactly, and socket files are private."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest

from synapse_bridge.serve.address import Address, Tcp, Unix, parse
from synapse_bridge.serve.conftest import refused, start, started, stub
from synapse_bridge.serve.loading import CannotServe


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with TemporaryDirectory(prefix="synapse-") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:50051", Tcp("127.0.0.1", 50051)),
        ("localhost:0", Tcp("localhost", 0)),
        ("[::1]:443", Tcp("::1", 443)),
        ("unix:/run/shop.sock", Unix(Path("/run/shop.sock"))),
        ("unix:///run/shop.sock", Unix(Path("/run/shop.sock"))),
        ("unix:shop.sock", Unix(Path.cwd() / "shop.sock")),
    ],
)
def test_an_address_is_parsed_and_written_as_grpc_takes_it(text: str, address: Address) -> None:
    assert parse(text) == address
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "50051", "host", "host:", ":50051", "host:65536", "host:-1", "::1:50051", "[::1]",
     "a b:1", "http://host:1", "unix:", "unix://host/path", "unix:a\0b"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(text)


def test_a_server_answers_on_a_private_socket_and_removes_it(
    folder: Path, short: Path, pb: Any
) -> None:
    path = short / "s.sock"
    with started(folder, "--listen", f"unix:{path}") as server:
        assert server.address == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert server.call("Text", pb.TextRequest(text="hello")).result == "hello"
    assert not path.exists()


def test_the_socket_of_a_killed_server_is_taken_over(folder: Path, short: Path, pb: Any) -> None:
    path = short / "s.sock"
    with started(folder, "--listen", f"unix:{path}") as server:
        server.process.kill()
        server.process.wait()
    assert path.is_socket()
    with started(folder, "--listen", f"unix:{path}") as server:
        assert server.call("Text", pb.TextRequest(text="hello")).result == "hello"


def test_a_socket_that_another_server_listens_on_is_left_alone(
    folder: Path, short: Path, pb: Any
) -> None:
    listen = ("--listen", f"unix:{short / 's.sock'}")
    with started(folder, *listen) as first:
        second = start(folder, *listen)
        _, error = second.communicate(timeout=20)
        assert second.returncode == 2
        assert "another server listens there" in error
        assert first.call("Text", pb.TextRequest(text="hello")).result == "hello"


def test_a_file_that_is_no_socket_is_left_alone(short: Path) -> None:
    path = short / "data"
    path.write_text("precious")
    with pytest.raises(CannotServe, match="no socket"):
        Unix(path).make_room()
    assert path.read_text() == "precious"


def test_a_missing_folder_and_a_long_path_are_told(short: Path) -> None:
    with pytest.raises(CannotServe, match="there is no folder"):
        Unix(short / "missing" / "s.sock").make_room()
    with pytest.raises(CannotServe, match="longer than 107 bytes"):
        Unix(short / ("x" * 100)).make_room()


def test_listen_takes_a_tcp_address_too(folder: Path, pb: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with (
        started(folder, "--listen", f"127.0.0.1:{port}") as server,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        assert server.address == f"127.0.0.1:{port}"
        request = pb.TextRequest(text="hello")
        assert stub(channel, "Text")(request, timeout=20).result == "hello"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--listen", "nowhere"), "--listen: expected HOST:PORT"),
        (("--listen", "127.0.0.1:0", "--port", "1"), "--listen: it says all"),
        (("--listen", "unix:/s", "--port-file", "p"), "--port-file: a Unix socket has no port"),
    ],
)
def test_a_wrong_address_is_told(folder: Path, options: tuple[str, ...], told: str) -> None:
    server = start(folder, *options)
    _, error = server.communicate(timeout=20)
    assert server.returncode == 2
    assert told in error


@pytest.mark.parametrize(
    ("transport", "workers"), [("http2", "1"), ("grpcio", "1"), ("http2", "2")]
)
def test_an_address_that_cannot_be_had_is_told(folder: Path, transport: str, workers: str) -> None:
    def told(*options: str) -> str:
        return refused(folder, "--transport", transport, "--workers", workers, *options)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = told("--port", str(port))
        assert f"Cannot listen on 127.0.0.1:{port}: Address already in use. Stop" in error
        assert "with --port or --listen" in error
    # One name does not resolve, the other address is of a network for documentation.
    for host in ("nowhere.invalid", "192.0.2.1"):
        error = told("--host", host)
        assert f"Cannot listen on {host}:0: " in error
        assert "--host and --listen take a name or an address of this machine" in error
