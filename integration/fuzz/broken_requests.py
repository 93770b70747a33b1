"""Broken requests for the converters of a generated server, and what must become of each.

The server is that of every row of the type table at every place. A request is random bytes, or a
good one that was cut, changed and put together wrongly. It has to give arguments, or one of the two
errors that the server has for requests. Arguments have to hold what the request held: sent back
as a result, no field that was there may be missing or another.
"""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from synapse_bridge.generate import generate
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.failure import InvalidArguments, InvalidRequest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "synapse_bridge" / "serve" / "testdata"

WRITTEN_ANEW = frozenset({"any", "bare_dict", "open_model"})
WRITTEN_ANEW |= frozenset({"decimal", "email", "path", "tensor", "url", "uuid", "wrapped"})
WRITTEN_ANEW |= frozenset({"bigint", "ip", "ip_interface", "ip_network", "naive_datetime", "regex"})
WRITTEN_ANEW |= frozenset({"ipv4", "ipv4_interface", "ipv4_network"})
WRITTEN_ANEW |= frozenset({"ipv6", "ipv6_interface", "ipv6_network"})
"""Rows whose values Python may write otherwise than they came: `a//b` as `a/b`, or within any value
an integer of many digits as one of 64 bits."""


@dataclass(frozen=True)
class Row:
    """A row of the type table: how its requests are read, and how what was read is sent back."""

    name: str
    good: bytes
    codec: Codec
    again: Callable[[Any], Message]

    def check(self, data: bytes) -> bool:
        """Whether a request is read. Raises where it is neither read nor refused as it should."""
        try:
            request = self.codec.request(data)
            arguments = self.codec.arguments(request)
        except (InvalidRequest, InvalidArguments):
            return False
        row = self.again(arguments["row"]).result  # type: ignore[attr-defined] # each has a result
        if self.name not in WRITTEN_ANEW and (lost := _lost(request.row, row, "row")):  # type: ignore[attr-defined]
            raise AssertionError(f"{self.name}: {lost} of {data!r}")
        return True


@cache
def rows() -> Sequence[Row]:
    """All rows, with a generated server that is made here."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    sys.path[:0] = [str(SOURCES), str(folder)]
    for path, content in generate(introspect("rows")).items():
        if path.startswith("python/"):
            data = content.encode() if isinstance(content, str) else content
            (folder / Path(path).name).write_bytes(data)
    module: Any = importlib.import_module("rows")
    service = importlib.import_module("rows_server").SERVICE
    methods = {method.function.__name__: method for method in service.methods}
    found = []
    for name in module.ROWS:
        give, echo = methods[f"give_{name}"], methods[f"echo_{name}"]
        request = echo.request()
        request.row.MergeFrom(give.response(module.filled(name)).result)
        found.append(Row(name, request.SerializeToString(), Codec(echo), give.response))
    return found


def _lost(sent: Message, kept: Message, path: str) -> str | None:
    """The first field that was sent and is not kept as it was; where it is repeated, any of it."""
    for field, value in sent.ListFields():
        at, other = f"{path}.{field.name}", getattr(kept, field.name)
        if _is_map(field):
            if found := _lost_entry(value, other, at):
                return found
        elif field.is_repeated:
            if len(value) != len(other):
                return f"{at}: {len(value)} items came, {len(other)} are kept"
            # A set has no order.
            if not _is_message(field) and sorted(map(repr, value)) != sorted(map(repr, other)):
                return f"{at}: {value!r} came, {other!r} is kept"
        elif field.has_presence and not kept.HasField(field.name):
            return f"{at}: came, and is not kept"
        elif _is_message(field):
            if found := _lost(value, other, at):
                return found
        elif repr(value) != repr(other):
            return f"{at}: {value!r} came, {other!r} is kept"
    return None


def _lost_entry(sent: Any, kept: Any, path: str) -> str | None:
    for key in sent:
        if key not in kept:
            return f"{path}: the key {key!r} came, and is not kept"
        if isinstance(sent[key], Message):
            if found := _lost(sent[key], kept[key], f"{path}[{key!r}]"):
                return found
        elif repr(sent[key]) != repr(kept[key]):
            return f"{path}[{key!r}]: {sent[key]!r} came, {kept[key]!r} is kept"
    return None


def _is_message(field: FieldDescriptor) -> bool:
    return field.message_type is not None


def _is_map(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and message.GetOptions().map_entry


class Breaker:
    """Breaks requests at random, always the same way for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def row(self, rows: Sequence[Row]) -> Row:
        """One of them."""
        return self._random.choice(rows)

    def broken(self, good: bytes) -> bytes:
        """A request that is like a good one, or like none."""
        choice = self._random.randrange(10)
        if choice == 0:
            return self._random.randbytes(self._random.randrange(40))
        if choice == 1:
            return good + self.broken(good)
        for _ in range(self._random.choice((1, 1, 1, 2, 4))):
            good = self._changed(good)
        return good

    def _changed(self, data: bytes) -> bytes:
        at = self._random.randrange(len(data) + 1)
        before, rest = data[:at], data[at:]
        match self._random.randrange(6):
            case 0:
                return before
            case 1:
                return rest
            case 2:
                return before + self._random.choice(_EDGES) + rest[1:]
            case 3 if rest:
                return before + bytes([rest[0] ^ self._random.choice((1, 2, 7, 8, 128))]) + rest[1:]
            case 4:
                return before + self._random.randbytes(self._random.randint(1, 3)) + rest
        length = self._random.randrange(8)
        return before + data[at : at + length] * 2 + rest[length:]


_EDGES = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff")
