"""Writes vectors.txt: messages of everything.proto as Python's protobuf encodes them.

Usage: python make_vectors.py (needs grpcio-status and grpcio-tools). A line is a name, a tab, and
the bytes in hexadecimal; test/synapse_bridge/message/wire_test.exs has the Elixir value of each
name.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo, Help, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_tools import protoc

HERE = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    if protoc.main(["protoc", f"-I{HERE}", f"--python_out={folder}", "everything.proto"]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, folder)
    import everything_pb2 as pb


def encoded(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def everything(**fields: object) -> bytes:
    return encoded(pb.Everything(**fields))


def vectors() -> Iterator[tuple[str, bytes]]:
    yield "empty", everything()
    yield (
        "zeros",
        everything(
            flag=False, count=0, size=0, ratio=0.0, text="", data=b"", color=0, leaf=pb.Leaf()
        ),
    )

    for count in (0, 1, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28, 2**35, 2**63 - 1):
        yield f"count {count}", everything(count=count)
    for count in (-1, -128, -(2**31), -(2**53) - 1, -(2**63)):
        yield f"count {count}", everything(count=count)
    for size in (127, 2**63, 2**64 - 1):
        yield f"size {size}", everything(size=size)

    yield "ratio 1.5", everything(ratio=1.5)
    yield "ratio -0.0", everything(ratio=-0.0)
    yield "ratio smallest", everything(ratio=5e-324)
    yield "ratio largest", everything(ratio=sys.float_info.max)
    yield "ratio nan", everything(ratio=math.nan)
    yield "ratio infinity", everything(ratio=math.inf)
    yield "ratio negative infinity", everything(ratio=-math.inf)

    yield "text unicode", everything(text="Grüße, 世界 👩‍🚀 e\u0301 \x00")
    yield "text 127", everything(text="x" * 127)
    yield "text 128", everything(text="x" * 128)
    yield "text 20000", everything(text="x" * 20000)
    yield "data", everything(data=bytes(range(256)))
    yield "color red", everything(color=pb.COLOR_RED)
    yield "color far", everything(color=pb.COLOR_FAR)
    yield "color unknown", everything(color=77)
    yield "color negative", everything(color=-5)
    yield "leaf", everything(leaf=pb.Leaf(name="oak", weight=-3, marks=[1, 2, 300]))

    yield "flags", everything(flags=[True, False, True])
    yield "counts", everything(counts=[0, 1, -1, 300, 2**63 - 1, -(2**63)])
    yield "sizes", everything(sizes=[0, 2**64 - 1])
    yield (
        "ratios",
        everything(ratios=[0.0, 1.5, -2.25, 1e300, math.nan, math.inf, 3.0, -math.inf, 0.1]),
    )
    yield "texts", everything(texts=["", "a", "é"])
    yield "chunks", everything(chunks=[b"", b"\xff\x00"])
    yield "colors", everything(colors=[pb.COLOR_RED, 77, pb.COLOR_FAR, -5])
    yield "leaves", everything(leaves=[pb.Leaf(), pb.Leaf(name="a"), pb.Leaf(marks=[7])])

    yield "by_name", everything(by_name={"é": -1})
    yield "by_name zeros", everything(by_name={"": 0})
    yield "by_number", everything(by_number={2**63 - 1: "max"})
    yield "by_flag", everything(by_flag={False: pb.Leaf()})
    yield "series", everything(series={2**64 - 1: pb.ListOfDouble(items=[1.0, 2.0])})
    yield (
        "several entries",
        everything(
            by_name={"": 0, "a": 1, "é": -1},
            by_number={-1: "minus", 0: "", 2**63 - 1: "max"},
            by_flag={False: pb.Leaf(), True: pb.Leaf(name="yes")},
            series={2**64 - 1: pb.ListOfDouble(), 7: pb.ListOfDouble(items=[1.0])},
        ),
    )
    # proto3 may leave out a key or a value that is zero, though Python does not.
    yield "bare entries", bytes.fromhex("8a0100 920100 9a0100 a20100")

    yield "list", everything(list=pb.ListOfInt64(items=[1, -1]))
    yield "list empty", everything(list=pb.ListOfInt64())
    yield "maybe", everything(maybe=pb.OptionalString(value="x"))
    yield "maybe empty", everything(maybe=pb.OptionalString(value=""))
    yield "maybe none", everything(maybe=pb.OptionalString())
    yield "grid", everything(grid=[pb.ListOfInt64(items=[1, 2]), pb.ListOfInt64()])
    yield "gaps", everything(gaps=[pb.OptionalDouble(value=0.5), pb.OptionalDouble()])
    yield "table", everything(table=pb.MapOfStringInt64(entries={"a": 1}))
    yield "table empty", everything(table=pb.MapOfStringInt64())
    yield "names none", everything(names=pb.OptionalListOfString())
    yield "names empty", everything(names=pb.OptionalListOfString(value=pb.ListOfString()))
    yield "names", everything(names=pb.OptionalListOfString(value=pb.ListOfString(items=["a"])))
    yield "inner", everything(inner=pb.Everything(inner=pb.Everything(count=1), flag=True))
    yield "far", everything(far=-1, farther="x", farthest=True)

    unpacked = pb.Unpacked(
        flags=[True, False],
        counts=[1, -1, 300],
        sizes=[2**64 - 1],
        ratios=[1.5, math.nan],
        colors=[pb.COLOR_FAR, 77],
    )
    yield "unpacked", encoded(unpacked)
    yield "packed then unpacked", everything(counts=[5], ratios=[0.5]) + encoded(unpacked)

    newer = pb.Newer(number=-1, double=1.0, float=1.0, text="new", fixed=[1, 2])
    newer.inner.number = 5
    yield "unknown fields", encoded(newer) + everything(count=7) + encoded(newer)

    yield "last wins", everything(count=1, text="a", color=1) + everything(count=2, text="b")
    yield (
        "merged",
        (
            everything(leaf=pb.Leaf(name="a", weight=1, marks=[1]), by_name={"a": 1, "b": 2})
            + everything(leaf=pb.Leaf(weight=2, marks=[2]), by_name={"c": 3})
        ),
    )
    yield (
        "merged deeply",
        (
            everything(inner=pb.Everything(leaf=pb.Leaf(name="a"), texts=["x"]))
            + everything(inner=pb.Everything(leaf=pb.Leaf(weight=2), texts=["y"]))
        ),
    )
    yield (
        "merged wrapper",
        (everything(list=pb.ListOfInt64(items=[1])) + everything(list=pb.ListOfInt64(items=[2]))),
    )

    yield "google.rpc.Status", encoded(status())


def status() -> Status:
    """What a server may send in ``grpc-status-details-bin``."""
    status = Status(code=3, message="2 violations")
    for detail in (
        BadRequest(
            field_violations=[
                BadRequest.FieldViolation(
                    field="data.age",
                    description="Input should be a valid integer",
                    reason="INT_TYPE",
                ),
                BadRequest.FieldViolation(field="data", description="Odd", reason="My-Rule"),
            ]
        ),
        ErrorInfo(
            reason="VALIDATION_ERROR",
            domain="shop.orders.v1.OrdersService",
            metadata={"exception": "pydantic_core._pydantic_core.ValidationError"},
        ),
        DebugInfo(stack_entries=["a.py:1", "b.py:2"], detail="trace"),
        RetryInfo(retry_delay=Duration(seconds=-1, nanos=-500_000_000)),
        Help(links=[Help.Link(description="see", url="https://example.com")]),
    ):
        status.details.add().Pack(detail)
    return status


if __name__ == "__main__":
    lines = [f"{name}\t{data.hex()}\n" for name, data in vectors()]
    (HERE / "vectors.txt").write_text("".join(lines), encoding="utf-8")
