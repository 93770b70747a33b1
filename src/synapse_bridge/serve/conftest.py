"""A server for the tests: a small service, its generated code by hand, and a way to start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs

MODULE = '''
"""Functions that behave and misbehave."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator


class Currency(Enum):
    EUR = "EUR"
    USD = "USD"


Priority = Literal["low", "high"]


@dataclass
class Address:
    street: str
    labels: list[str] = field(default_factory=lambda: ["home"])


class Item(BaseModel):
    sku: Annotated[str, Field(min_length=1, alias="SKU")]
    quantity: Annotated[int, Field(ge=1)] = 1
    tags: list[str] = []


class Order(BaseModel):
    number: int
    address: Address | None
    items: list[Item]
    prices: dict[str, float] = {}
    currency: Currency = Currency.EUR
    priority: Priority | None = None
    coupon: str | None = "WELCOME"
    parent: Order | None = None

    @field_validator("number")
    @classmethod
    def not_thirteen(cls, number: int) -> int:
        if number == 13:
            raise ValueError("13 brings bad luck")
        if number == 14:
            raise ZeroDivisionError("the secret of the validator")
        return number


def echo(order: Order, /, factor: int = 2, *, names: list[str]) -> Order:
    """The order itself; its number times the factor; the names as tags."""
    order.number *= factor
    for item in order.items:
        item.tags += names
    return order


def fail(kind: str) -> str:
    raise {
        "zero": ZeroDivisionError,
        "value": ValueError,
        "key": KeyError,
        "file": FileNotFoundError,
        "permission": PermissionError,
        "timeout": TimeoutError,
        "unimplemented": NotImplementedError,
        "exit": SystemExit,
        "stop": StopIteration,
        "cancelled": asyncio.CancelledError,
        "own": OwnError,
    }[kind]("the secret text")


class OwnError(NotImplementedError):
    pass


async def fail_async(kind: str) -> str:
    return fail(kind)


def wrong(kind: str) -> Order:
    """Something that is no ``Order``."""
    order = Order(number=1, address=None, items=[Item(SKU="a")])
    match kind:
        case "none":
            return None
        case "attribute":
            order.items[0].sku = None
        case "range":
            order.number = 2**63
        case "surrogate":
            order.prices = {"a\\ud800": 1.0}
        case "cycle":
            order.parent = order
        case "deep":
            for _ in range(120):
                order = Order(number=1, address=None, items=[], parent=order)
    return order


class State:
    """Methods of an instance."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.running = 0
        self.most = 0
        self.lock = threading.Lock()

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def count_cancelled(self) -> int:
        return self.cancelled

    def block(self, seconds: float) -> int:
        """Returns how many calls of this method ran at once, at most."""
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(seconds)
        with self.lock:
            self.running -= 1
        return self.most


state = State()


def text(value: str) -> str:
    return value
'''

PROTO = """
syntax = "proto3";

package probe.v1;

service ProbeService {
  rpc Echo(EchoRequest) returns (EchoResponse);
  rpc Fail(TextRequest) returns (TextResponse);
  rpc FailAsync(TextRequest) returns (TextResponse);
  rpc Wrong(TextRequest) returns (EchoResponse);
  rpc Wait(SecondsRequest) returns (NoneResponse);
  rpc CountCancelled(CountCancelledRequest) returns (CountResponse);
  rpc Block(SecondsRequest) returns (CountResponse);
  rpc Text(TextRequest) returns (TextResponse);
}

enum Currency {
  CURRENCY_UNSPECIFIED = 0;
  CURRENCY_EUR = 1;
  CURRENCY_USD = 2;
}
enum Priority {
  PRIORITY_UNSPECIFIED = 0;
  PRIORITY_LOW = 1;
  PRIORITY_HIGH = 2;
}
message Address {
  optional string street = 1;
  optional ListOfString labels = 2;
}
message Item {
  optional string sku = 1;
  optional int64 quantity = 2;
  repeated string tags = 3;
}
message Order {
  optional int64 number = 1;
  optional Address address = 2;
  repeated Item items = 3;
  map<string, double> prices = 4;
  optional Currency currency = 5;
  optional Priority priority = 6;
  optional OptionalString coupon = 7;
  optional Order parent = 8;
}
message ListOfString {
  repeated string items = 1;
}
message OptionalString {
  optional string value = 1;
}
message EchoRequest {
  optional Order order = 1;
  optional int64 factor = 2;
  repeated string names = 3;
}
message EchoResponse {
  optional Order result = 1;
}
message TextRequest {
  optional string text = 1;
}
message TextResponse {
  optional string result = 1;
}
message SecondsRequest {
  optional double seconds = 1;
}
message NoneResponse {}
message CountCancelledRequest {}
message CountResponse {
  optional int64 result = 1;
}
"""

SERVER = '''
"""gRPC server of `probe`."""

from __future__ import annotations

from typing import Any

import probe
import probe_pb2 as pb
from synapse_bridge import serve

CURRENCY = serve.Members({1: probe.Currency.EUR, 2: probe.Currency.USD})
PRIORITY = serve.Members({1: "low", 2: "high"})


def address_from_wire(message: pb.Address) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if message.HasField("street"):
        value["street"] = message.street
    if message.HasField("labels"):
        value["labels"] = message.labels.items[:]
    return value


def address_to_wire(value: probe.Address) -> dict[str, Any]:
    return {"street": value.street, "labels": {"items": value.labels}}


def item_from_wire(message: pb.Item) -> dict[str, Any]:
    value: dict[str, Any] = {"tags": message.tags[:]}
    if message.HasField("sku"):
        value["sku"] = message.sku
    if message.HasField("quantity"):
        value["quantity"] = message.quantity
    return value


def item_to_wire(value: probe.Item) -> dict[str, Any]:
    return {"sku": value.sku, "quantity": value.quantity, "tags": value.tags}


def order_from_wire(message: pb.Order) -> dict[str, Any]:
    value: dict[str, Any] = {
        "address": address_from_wire(message.address) if message.HasField("address") else None,
        "items": [item_from_wire(item) for item in message.items],
        "prices": dict(message.prices),
    }
    if message.HasField("number"):
        value["number"] = message.number
    if message.HasField("currency"):
        value["currency"] = CURRENCY[message.currency]
    if message.HasField("priority"):
        value["priority"] = PRIORITY[message.priority]
    if message.HasField("coupon"):
        value["coupon"] = message.coupon.value if message.coupon.HasField("value") else None
    if message.HasField("parent"):
        value["parent"] = order_from_wire(message.parent)
    return value


def order_to_wire(value: probe.Order) -> dict[str, Any]:
    return {
        "number": value.number,
        "address": None if value.address is None else address_to_wire(value.address),
        "items": [item_to_wire(item) for item in value.items],
        "prices": value.prices,
        "currency": CURRENCY.number[value.currency],
        "priority": None if value.priority is None else PRIORITY.number[value.priority],
        "coupon": {"value": value.coupon},
        "parent": None if value.parent is None else order_to_wire(value.parent),
    }


def echo_arguments(request: pb.EchoRequest) -> dict[str, Any]:
    value: dict[str, Any] = {"names": request.names[:]}
    if request.HasField("order"):
        value["order"] = order_from_wire(request.order)
    if request.HasField("factor"):
        value["factor"] = request.factor
    return value


def echo_response(result: probe.Order) -> pb.EchoResponse:
    return pb.EchoResponse(result=order_to_wire(result))


def fail_arguments(request: pb.TextRequest) -> dict[str, Any]:
    return {"kind": request.text}


def text_arguments(request: pb.TextRequest) -> dict[str, Any]:
    return {"value": request.text}


def text_response(result: str) -> pb.TextResponse:
    return pb.TextResponse(result=result)


def seconds_arguments(request: pb.SecondsRequest) -> dict[str, Any]:
    return {"seconds": request.seconds}


def none_response(result: None) -> pb.NoneResponse:
    return pb.NoneResponse()


def no_arguments(request: pb.CountCancelledRequest) -> dict[str, Any]:
    return {}


def count_response(result: int) -> pb.CountResponse:
    return pb.CountResponse(result=result)


state = probe.state
SERVICE = serve.Service(
    name="probe.v1.ProbeService",
    file=pb.DESCRIPTOR,
    contract="c0ffee",
    methods=(
        serve.Unary("Echo", probe.echo, pb.EchoRequest, echo_arguments, echo_response),
        serve.Unary("Fail", probe.fail, pb.TextRequest, fail_arguments, text_response),
        serve.Unary("FailAsync", probe.fail_async, pb.TextRequest, fail_arguments, text_response),
        serve.Unary("Wrong", probe.wrong, pb.TextRequest, fail_arguments, echo_response),
        serve.Unary("Wait", state.wait, pb.SecondsRequest, seconds_arguments, none_response),
        serve.Unary(
            "CountCancelled",
            state.count_cancelled,
            pb.CountCancelledRequest,
            no_arguments,
            count_response,
        ),
        serve.Unary("Block", state.block, pb.SecondsRequest, seconds_arguments, count_response),
        serve.Unary("Text", probe.text, pb.TextRequest, text_arguments, text_response),
    ),
)

if __name__ == "__main__":
    serve.main(SERVICE)
'''


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

    def channel(self) -> grpc.Channel:
        """A new connection."""
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        return grpc.insecure_channel(self.address, options=unlimited)


def stub(channel: grpc.Channel, method: str) -> Any:
    """What calls a method of the probe."""
    import probe_pb2 as pb  # type: ignore[import-not-found] # made by the fixture `folder`

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
    (folder / "probe.py").write_text(MODULE)
    (folder / "probe.proto").write_text(PROTO)
    (folder / "probe_server.py").write_text(SERVER)
    arguments = ["protoc", f"-I{folder}", f"--python_out={folder}", "probe.proto"]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="session")
def pb(folder: Path) -> Any:
    """The protobuf classes of the probe."""
    import probe_pb2

    return probe_pb2


@contextmanager
def started(folder: Path, *options: str) -> Iterator[Running]:
    """A server process, which is stopped in the end."""
    log = folder / f"log-{os.urandom(4).hex()}"
    with log.open("w") as stderr:
        process = start(folder, "--exit-with-parent", *options, stderr=stderr)
    assert process.stdout
    assert process.stdin
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), log.read_text()
        yield Running(process, line.split()[-1], log)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()


def start(folder: Path, *options: str, stderr: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    """A server process as it begins."""
    command: Sequence[str] = (sys.executable, str(folder / "probe_server.py"), *options)
    source = str(Path(str(files("synapse_bridge"))).parent)
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([source, *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[Running]:
    """A server as it is by default, with four threads."""
    with started(folder, "--max-workers", "4") as running:
        yield running


@pytest.fixture(scope="session")
def debug_server(folder: Path) -> Iterator[Running]:
    """A server with ``--debug``."""
    with started(folder, "--debug") as running:
        yield running
