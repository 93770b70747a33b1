"""The servers that are measured, and what each of them is asked."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from process import environment, listening

HERE = Path(__file__).resolve().parent

GREETING = {"name": "Alice", "age": 30}
ORDER = {
    "number": 4711,
    "customer": "Alice Example",
    "address": {"street": "1 Main Street", "city": "Springfield"},
    "items": [
        {"sku": f"SKU-{n:05}", "quantity": n, "price": 10.0 * n, "tags": ["new", "fragile"]}
        for n in range(1, 6)
    ],
    "discounts": {"SKU-00001": 0.25, "SKU-00003": 0.5},
}
TOTAL = 7.5 + 40 + 45 + 160 + 250
"""What the order costs."""


@dataclass(frozen=True)
class Wire:
    """A way to put the functions on the wire: protobuf module, service, and who wraps what."""

    pb2: str
    service: str
    usd: str
    wrapped: bool
    """Whether a method has request and response messages of its own around the models."""


HANDWRITTEN = Wire("handwritten_pb2", "handwritten.Orders", "USD", wrapped=False)
PEER = Wire("peer_pb2", "peer.Peer", "USD", wrapped=False)
OURS = Wire("orders_pb2", "orders.v1.OrdersService", "CURRENCY_USD", wrapped=True)


@dataclass(frozen=True)
class Contestant:
    """A server: its command line, and its names in the table by the suffix of its methods."""

    wire: Wire
    command: tuple[str, ...]
    names: dict[str, str]


CONTESTANTS = (
    Contestant(HANDWRITTEN, ("raw.py",), {"": "raw bytes"}),
    Contestant(HANDWRITTEN, ("raw.py", "uvloop"), {"": "raw bytes, uvloop"}),
    Contestant(HANDWRITTEN, ("handwritten.py",), {"": "hand-written"}),
    Contestant(HANDWRITTEN, ("handwritten.py", "uvloop"), {"": "hand-written, uvloop"}),
    Contestant(
        OURS,
        ("orders_server.py", "--exit-with-parent"),
        {"": "synapse_bridge", "Sync": "synapse_bridge, sync"},
    ),
    Contestant(
        OURS,
        ("orders_server.py", "--exit-with-parent", "--transport", "grpcio"),
        {"": "synapse_bridge, grpcio", "Sync": "synapse_bridge, grpcio, sync"},
    ),
    Contestant(PEER, ("peer.py",), {"": "pydantic-rpc"}),
    Contestant(PEER, ("peer.py", "uvloop"), {"": "pydantic-rpc, uvloop"}),
    Contestant(HANDWRITTEN, ("handwritten.py", "sync"), {"": "hand-written, sync"}),
    Contestant(
        HANDWRITTEN, ("handwritten.py", "sync", "uvloop"), {"": "hand-written, sync, uvloop"}
    ),
)


@dataclass(frozen=True)
class Target:
    """What ``h2load`` is pointed at."""

    name: str
    workload: str
    url: str
    body: Path
    pid: int


def prepare(folder: Path, generated: Path | None) -> None:
    """Put what servers import into ``folder``: what protoc makes, and what we generate."""
    if generated is None:
        generate(folder, "orders", "Orders")
    else:
        shutil.copytree(generated, folder, dirs_exist_ok=True)
    outputs = (f"--python_out={folder}", f"--grpc_python_out={folder}")
    _run(folder, "-m", "grpc_tools.protoc", f"-I{HERE}", *outputs, "handwritten.proto")
    sys.path.insert(0, str(folder))


def generate(folder: Path, module: str, elixir: str) -> None:
    """Put our server of a module into ``folder``."""
    out = folder / "synapse_out"
    options = ("--module", module, "--elixir-module", elixir, "--out", str(out))
    _run(folder, "-m", "synapse_bridge", "generate", *options)
    shutil.copytree(out / "python", folder, dirs_exist_ok=True)


@contextmanager
def start(contestant: Contestant, folder: Path) -> Iterator[list[Target]]:
    """Start a server, see that it answers rightly, and stop it in the end."""
    script, *arguments = contestant.command
    path = HERE / script if (HERE / script).exists() else folder / script
    with listening(folder, path, *arguments) as (address, pid):
        yield [
            _target(contestant.wire, method, name, address, pid, folder)
            for suffix, name in contestant.names.items()
            for method in (f"Greet{suffix}", f"Price{suffix}")
        ]


def _target(wire: Wire, method: str, name: str, address: str, pid: int, folder: Path) -> Target:
    pb: Any = importlib.import_module(wire.pb2)
    order = {**ORDER, "currency": wire.usd}
    if wire.wrapped:
        request = getattr(pb, f"{method}Request")
        value = request(data=GREETING) if "Greet" in method else request(order=order)
        response = getattr(pb, f"{method}Response")
    else:
        value = pb.InputData(**GREETING) if "Greet" in method else pb.Order(**order)
        response = pb.Greeting if "Greet" in method else pb.Quote
    body = value.SerializeToString()
    path = f"/{wire.service}/{method}"
    with grpc.insecure_channel(address) as channel:
        answer = channel.unary_unary(path, bytes, bytes)(body, timeout=10)
    if not name.startswith("raw"):
        _expect(response.FromString(answer), wire.wrapped)
    file = folder / f"{wire.service}.{method}.body"
    file.write_bytes(b"\0" + len(body).to_bytes(4, "big") + body)
    workload = "greeting" if "Greet" in method else "order"
    return Target(name, workload, f"http://{address}{path}", file, pid)


def _expect(response: Any, wrapped: bool) -> None:
    found = response.result if wrapped else getattr(response, "text", response)
    right = "Hello, Alice! You are 30 years old." if isinstance(found, str) else TOTAL
    answered = found if isinstance(found, str) else found.total
    if answered != right:
        raise AssertionError(f"{type(response).__name__} holds {answered}, and not {right}")


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=HERE, env=environment(folder), check=True)
