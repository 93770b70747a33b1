"""Whatever comes in is a value, or an error that says where; and the connection goes on.

The other half is ``bad_input_test.exs`` of the Elixir runtime, where most of this is refused
before it is sent. ``docs/errors.md`` has both in one table.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import importable
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.malformed import fault, strangeness
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.server import Server

MODULE = """
from datetime import date, datetime, time, timedelta
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any

from pydantic import BaseModel, Field

from synapse_bridge import BigInt


class Color(Enum):
    RED = "r"


class Node(BaseModel):
    name: str = "n"
    below: list["Node"] = []


class Model(BaseModel):
    count: Annotated[int, Field(ge=0)] = 0
    name: str = ""
    price: float = 0.0
    counts: list[int] = []
    names: list[str] = []
    by_name: dict[str, int] = {}
    by_day: dict[date, int] = {}
    tags: set[int] = set()
    color: Color = Color.RED
    day: date | None = None
    at: datetime | None = None
    clock: time | None = None
    span: timedelta | None = None
    digits: Annotated[int, BigInt] = 0
    address: IPv4Address | None = None
    either: int | str = 0
    pair: tuple[int, str] | None = None
    node: Node | None = None
    value: Any = None


def take(number: int, model: Model = Model()) -> int:
    return number
"""

# Fields of the model by number, with a tag of the wire type that they do not have.
COUNT, NAME, PRICE, COUNTS, NAMES, BY_NAME, BY_DAY, TAGS, COLOR = range(1, 10)
DAY, AT, CLOCK, SPAN, DIGITS, ADDRESS, EITHER, PAIR, NODE, VALUE = range(10, 20)
VARINT, FIXED64, BYTES, GROUP, END, FIXED32 = range(6)


def varint(number: int) -> bytes:
    done = bytearray()
    while number > 0x7F:
        done.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*done, number])


def tag(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def of(number: int, *content: bytes) -> bytes:
    """A field with these bytes in it."""
    joined = b"".join(content)
    return tag(number, BYTES) + varint(len(joined)) + joined


def number(field: int, value: int) -> bytes:
    return tag(field, VARINT) + varint(value & 2**64 - 1)


def node(depth: int) -> bytes:
    made = b""
    for _ in range(depth):
        made = of(2, made)
    return made


def value(depth: int) -> bytes:
    """A list that holds a list, and so on."""
    made = of(8)
    for _ in range(depth):
        made = of(8, of(1, made))
    return made


CASES: dict[str, tuple[bytes, str, str]] = {
    # what is wrong: the model's bytes, the path in it, the rule
    "a constraint": (number(COUNT, -1), "count", "GREATER_THAN_EQUAL"),
    "a number that the enum does not have": (number(COLOR, 7), "color", "ENUM"),
    "an item twice": (of(TAGS, b"\1\1"), "tags", "UNREADABLE"),
    "a key twice": (of(BY_DAY, of(1, b"\x08\1\x10\1\x18\1")) * 2, "by_day", "UNREADABLE"),
    "a key twice, of protobuf's own maps": (
        of(BY_NAME, of(1, b"a"), number(2, 1)) * 2,
        "by_name.a",
        "DUPLICATE_KEY",
    ),
    "an empty key twice": (of(BY_NAME, of(1), number(2, 0)) * 2, 'by_name[""]', "DUPLICATE_KEY"),
    "a day that is none": (of(DAY, b"\x08\1\x10\x0d\x18\1"), "day", "UNREADABLE"),
    "a year that is none": (of(DAY, number(1, 10_000), b"\x10\1\x18\1"), "day", "UNREADABLE"),
    "an instant after 9999": (of(AT, number(1, 253_402_300_800)), "at", "UNREADABLE"),
    "nanoseconds": (of(AT, number(2, 1)), "at", "UNREADABLE"),
    "an hour that is none": (of(CLOCK, number(1, 25)), "clock", "UNREADABLE"),
    "a span of too many years": (of(SPAN, number(1, 2**40)), "span", "UNREADABLE"),
    "digits that are none": (of(DIGITS, b"1e3"), "digits", "UNREADABLE"),
    "an address that is none": (of(ADDRESS, b"1.2.3"), "address", "IP_V4_ADDRESS"),
    "no member of a union": (of(EITHER), "either", "UNION_MEMBER_MISSING"),
    "an item of a tuple that is missing": (of(PAIR, number(1, 1)), "pair[1]", "MISSING"),
    "text that is no UTF-8": (of(NAME, b"\xff"), "name", "STRING_UNICODE"),
    "an item that is no UTF-8": (of(NAMES) + of(NAMES, b"\xc3"), "names[1]", "STRING_UNICODE"),
    "another wire type: text as a number": (number(NAME, 1), "name", "WIRE_TYPE"),
    "another wire type: a number as text": (of(COUNT, b"1"), "count", "WIRE_TYPE"),
    "another wire type: 64 bits as 32": (tag(PRICE, FIXED32) + bytes(4), "price", "WIRE_TYPE"),
    "another wire type: a group": (tag(NAME, GROUP) + tag(NAME, END), "name", "WIRE_TYPE"),
    "another wire type, inside": (of(NODE, of(2, number(1, 1))), "node.below[0].name", "WIRE_TYPE"),
    "another wire type, in an entry": (of(BY_NAME, of(2, b"1")), "by_name[0].value", "WIRE_TYPE"),
    "bytes that end in a number": (tag(COUNT, VARINT) + b"\x80", "count", "TRUNCATED"),
    "bytes that end in a float": (tag(PRICE, FIXED64) + bytes(7), "price", "TRUNCATED"),
    "a length beyond the end": (tag(NAME, BYTES) + b"\x7fa", "name", "TRUNCATED"),
    "a negative length": (tag(NAME, BYTES) + varint(2**64 - 1), "name", "TRUNCATED"),
    "a packed number that ends early": (of(COUNTS, b"\1\x80"), "counts[0]", "TRUNCATED"),
    "a number of 11 bytes": (tag(COUNT, VARINT) + b"\xff" * 10 + b"\1", "count", "VARINT_TOO_LONG"),
    "the field 0": (of(NODE, b"\0"), "node", "FIELD_NUMBER"),
}

UNPLACED = {
    "bytes that end in a tag": b"\xff",
    "a model too deep": of(2, of(NODE, node(150))),
    "a value too deep": of(2, of(VALUE, value(120))),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("bad_input")
    (folder / "bad_input.py").write_text(MODULE)
    with importable(folder):
        for name, content in generate(introspect("bad_input")).items():
            if name.startswith("python/"):
                data = content.encode() if isinstance(content, str) else content
                (folder / Path(name).name).write_bytes(data)
        importlib.invalidate_caches()
        yield importlib.import_module("bad_input_server").SERVICE


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
def test_bad_input_is_an_error_with_its_path_and_calls_go_on(service: Any, transport: Any) -> None:
    async def main() -> None:
        server = Server(service, Options(grace=0.5, transport=transport))
        address = await server.start()
        try:
            async with grpc.aio.insecure_channel(str(address)) as channel:
                call = channel.unary_unary(f"/{service.name}/Take", bytes, bytes)
                for what, (model, at, rule) in CASES.items():
                    error = await failure(call, number(1, 1) + of(2, model))
                    assert (what, error[0], error[1:]) == (
                        what,
                        grpc.StatusCode.INVALID_ARGUMENT,
                        (f"model.{at}", rule),
                    )
                    assert await call(number(1, 7)) == number(1, 7), what
                for what, request in UNPLACED.items():
                    code, _, _ = await failure(call, request)
                    assert code is grpc.StatusCode.INVALID_ARGUMENT, what
                    assert await call(number(1, 7)) == number(1, 7), what
                missing = await failure(call, b"")
                assert missing == (grpc.StatusCode.INVALID_ARGUMENT, "number", "MISSING")
                # What a newer client has more is no fault.
                assert await call(number(1, 7) + of(99, b"new")) == number(1, 7)
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(main(), 60))


@given(st.data())
def test_bytes_are_looked_at_once_more_and_never_break_that(
    service: Any, data: st.DataObject
) -> None:
    """What protobuf takes, and keeps whole, has no fault."""
    cases = [of(2, model) for model, _, _ in CASES.values()]
    parts = data.draw(st.lists(st.sampled_from(cases) | st.binary(max_size=6), max_size=4))
    broken = b"".join(parts)[: data.draw(st.integers(0, 60))]
    request = service.methods[0].request
    try:
        message = request.FromString(broken)
    except DecodeError:
        fault(request, broken, is_read=False)
        return
    if fault(request, broken, is_read=True) is not None:
        assert strangeness(request.DESCRIPTOR)(message, len(broken))
    elif fault(request, broken, is_read=False) is not None:
        raise AssertionError("what was read has a fault that only what was not read can have")


async def failure(call: Any, request: bytes) -> tuple[grpc.StatusCode, str, str]:
    """How a call fails: its code, and the path and the rule of the one violation."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(request, timeout=20)
    trailers: Any = dict(caught.value.trailing_metadata())  # type: ignore[arg-type] # pairs
    status = Status.FromString(trailers["grpc-status-details-bin"])
    found = BadRequest()
    if not any(detail.Unpack(found) for detail in status.details):
        return caught.value.code(), "", ""
    (violation,) = found.field_violations
    return caught.value.code(), violation.field, violation.reason
