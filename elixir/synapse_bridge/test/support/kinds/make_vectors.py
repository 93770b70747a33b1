"""Writes vectors.txt: values of the kinds that are messages, as Python's protobuf encodes them.

Usage: python make_vectors.py, with the repository's src in PYTHONPATH (needs
googleapis-common-protos). A line is the kind, a tab, the value as Elixir source, a tab, and the
bytes in hexadecimal.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay

from synapse_bridge.v1.types_pb2 import ListValue, ObjectValue, Tensor, Value

HERE = Path(__file__).parent
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def datetimes() -> Iterator[tuple[str, Message]]:
    for text in (
        "0001-01-01T00:00:00.000000",
        "1969-12-31T23:59:59.999999",
        "1970-01-01T00:00:00.000000",
        "1970-01-01T00:00:00.000001",
        "2024-02-29T12:34:56.789012",
        "9999-12-31T23:59:59.999999",
    ):
        microseconds = (dt.datetime.fromisoformat(text + "+00:00") - EPOCH) // MICROSECOND
        seconds, rest = divmod(microseconds, 10**6)
        yield f"~U[{text}Z]", Timestamp(seconds=seconds, nanos=rest * 1000)


def timedeltas() -> Iterator[tuple[str, Message]]:
    for value in (0, 1, -1, 999_999, -1_000_001, 10**6, 315_576 * 10**12, -315_576 * 10**12):
        duration = Duration()
        sign = -1 if value < 0 else 1
        duration.seconds = sign * (abs(value) // 10**6)
        duration.nanos = sign * (abs(value) % 10**6) * 1000
        yield str(value), duration


def dates() -> Iterator[tuple[str, Message]]:
    for text in ("0001-01-01", "2024-02-29", "9999-12-31"):
        date = dt.date.fromisoformat(text)
        yield f"~D[{text}]", Date(year=date.year, month=date.month, day=date.day)


def times() -> Iterator[tuple[str, Message]]:
    for text in ("01:02:03.000004", "23:59:59.999999"):
        time = dt.time.fromisoformat(text)
        yield (
            f"~T[{text}]",
            TimeOfDay(
                hours=time.hour,
                minutes=time.minute,
                seconds=time.second,
                nanos=time.microsecond * 1000,
            ),
        )


def values() -> Iterator[tuple[str, Message]]:
    yield "nil", Value(null_value=True)
    yield "true", Value(bool_value=True)
    yield "false", Value(bool_value=False)
    for number in (0, -1, 300, 2**63 - 1, -(2**63)):
        yield str(number), Value(int64_value=number)
    for number in (2**63, -(2**63) - 1, 10**40):
        yield str(number), Value(bigint_value=str(number))
    yield "1.5", Value(double_value=1.5)
    yield ":nan", Value(double_value=math.nan)
    yield ":negative_infinity", Value(double_value=-math.inf)
    yield '""', Value(string_value="")
    yield 'String.duplicate("é", 100)', Value(string_value="é" * 100)
    yield "%SynapseBridge.Bytes{data: <<255>>}", Value(bytes_value=b"\xff")
    yield "[]", Value(list_value=ListValue())
    yield (
        "[1, [nil]]",
        Value(
            list_value=ListValue(
                items=[
                    Value(int64_value=1),
                    Value(list_value=ListValue(items=[Value(null_value=True)])),
                ]
            )
        ),
    )
    yield "%{}", Value(object_value=ObjectValue())
    yield (
        '%{"" => %{"a" => "b"}}',
        Value(
            object_value=ObjectValue(
                entries={
                    "": Value(object_value=ObjectValue(entries={"a": Value(string_value="b")}))
                }
            )
        ),
    )


def tensors() -> Iterator[tuple[str, Message]]:
    yield (
        '%SynapseBridge.Tensor{dtype: "float32", shape: [2, 1], '
        "data: <<0, 0, 0x80, 0x3F, 0, 0, 0, 0x40>>}",
        Tensor(dtype="float32", shape=[2, 1], data=b"\x00\x00\x80\x3f\x00\x00\x00\x40"),
    )


KINDS = {
    "datetime": datetimes,
    "timedelta": timedeltas,
    "date": dates,
    "time": times,
    "any": values,
    "tensor": tensors,
}

if __name__ == "__main__":
    lines = [
        f"{kind}\t{source}\t{message.SerializeToString(deterministic=True).hex()}"
        for kind, vectors in KINDS.items()
        for source, message in vectors()
    ]
    (HERE / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
