"""What is wrong with the bytes of a request, with its path.

Protobuf says of broken bytes that they are broken, and nothing of a known field of another wire
type, which it skips as an unknown one, nor of a map's key that is there twice, of which it takes
the last. Here such bytes are looked at once more, and slowly. Bytes as clients write them only pay
for the question whether they are such: whether writing them again gives as many.

https://protobuf.dev/programming-guides/encoding describes the bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

Location = tuple[str | int, ...]

_TEXTS: dict[LiteralString, str] = {
    "truncated": "The bytes end in the middle of a value",
    "varint_too_long": "The bytes hold a number of more than 64 bits",
    "field_number": "The bytes hold a field number that does not exist",
    "wire_type": "The bytes hold a value of another wire type; was the client generated from "
    "another version of the service?",
    "duplicate_key": "Input should have each key once",
    "string_unicode": "Input should be a valid string, unable to parse raw data as a unicode "
    "string",
}
"""The rules and texts, which are those of the Elixir runtime."""

_VARINT, _FIXED64, _BYTES, _GROUP, _END, _FIXED32 = range(6)
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LARGEST_TAG = 2**32 - 1
_LONGEST_VARINT = 10
_DEEPEST = 200
"""Steps of a path. Protobuf itself refuses what is that deep."""

_F = FieldDescriptor
_WIRE_TYPES = {
    **dict.fromkeys((_F.TYPE_DOUBLE, _F.TYPE_FIXED64, _F.TYPE_SFIXED64), _FIXED64),
    **dict.fromkeys((_F.TYPE_FLOAT, _F.TYPE_FIXED32, _F.TYPE_SFIXED32), _FIXED32),
    **dict.fromkeys((_F.TYPE_STRING, _F.TYPE_BYTES, _F.TYPE_MESSAGE), _BYTES),
}


_MOST = 2**16
"""The bytes that are searched for what protobuf cannot read: it takes long, and says where only."""


def strangeness(descriptor: Any) -> Callable[[Message, int], bool]:
    """For such messages, what tells whether one of so many bytes may hold what protobuf has passed
    over in silence.

    Fields that it does not have are gone afterwards: nothing reads them. What no protobuf library
    writes can hide a key that is there twice: entries without a key or a value, which grow as much.
    """
    return _is_strange_though_it_grows if _can_grow(descriptor) else _is_strange


def _is_strange(message: Message, size: int) -> bool:
    message.DiscardUnknownFields()
    return message.ByteSize() != size


def _is_strange_though_it_grows(message: Message, size: int) -> bool:
    # What has grown must not hide as many bytes of fields that protobuf does not know.
    whole = message.ByteSize()
    message.DiscardUnknownFields()
    return not size == whole == message.ByteSize()


def _can_grow(descriptor: Any) -> bool:
    """Whether a message can take more bytes when protobuf writes it again.

    That is so for entries of maps that lack a key or a value, numbers of a packed field that came
    one by one, and negative numbers in an enum's 32 bits. All else is written in the shortest way.
    """
    seen: set[str] = set()
    todo = [descriptor]
    while todo:
        one = todo.pop()
        if one.full_name in seen:
            continue
        seen.add(one.full_name)
        for field in one.fields:
            if field.type in (_F.TYPE_ENUM, _F.TYPE_INT32) or _is_map(field):
                return True
            if field.message_type is not None:
                todo.append(field.message_type)
            elif field.is_repeated and field.is_packed:
                return True
    return False


def fault(kind: type[Message], data: bytes, *, is_read: bool) -> ValidationError | None:
    """The first fault in the bytes of a message, where it is in one of the message's fields.

    ``is_read`` says that protobuf has read them, so that only what it passes over is a fault.
    Paths are made of the names in the ``.proto``.
    """
    if not is_read and len(data) > _MOST:
        return None
    try:
        _Reader(data, is_read).message(kind.DESCRIPTOR, len(data), ())
    except _Fault as found:
        if not found.at:
            return None
        error = PydanticCustomError(found.rule, "{text}", {"text": _TEXTS[found.rule]})
        details = InitErrorDetails(type=error, loc=found.at, input=None)
        return ValidationError.from_exception_data("Request", [details], hide_input=True)
    return None


class _Fault(Exception):
    def __init__(self, at: Location, rule: LiteralString) -> None:
        super().__init__(rule)
        self.at = at
        self.rule = rule


@dataclass
class _Reader:
    data: bytes
    is_read: bool
    position: int = 0

    def message(self, descriptor: Any, end: int, at: Location) -> None:
        """Read the fields of a message, which has this descriptor, up to ``end``."""
        seen: Counter[int] = Counter()
        keys: set[tuple[int, int | bytes]] = set()
        while self.position < end:
            tag = self._varint(end, at)
            number, kind = tag >> 3, tag & 7
            if number == 0 or tag > _LARGEST_TAG:
                raise _Fault(at, "field_number")
            field: FieldDescriptor | None = descriptor.fields_by_number.get(number)
            place = at if field is None else (*at, field.name)
            if field is not None and field.is_repeated:
                place = (*place, seen[number])
                seen[number] += 1
            start = self.position
            self._value(field, kind, end, place)
            if field is not None and _is_map(field):
                key = _Reader(self.data, self.is_read, start).key(self.position)
                if (number, key) in keys:
                    name = key.decode() if isinstance(key, bytes) else str(key)
                    raise _Fault((*at, field.name, name), "duplicate_key")
                keys.add((number, key))

    def key(self, end: int) -> int | bytes:
        """The key of a map's entry, which begins here with its length, and has been read."""
        self._varint(end, ())
        found: int | bytes = 0
        while self.position < end:
            tag = self._varint(end, ())
            start = self.position
            self._value(None, tag & 7, end, ())
            if tag >> 3 == 1:
                again = _Reader(self.data, self.is_read, start)
                found = again._varint(end, ())
                if tag & 7 == _BYTES:
                    found = self.data[again.position : self.position]
        return found

    def _value(self, field: FieldDescriptor | None, kind: int, end: int, at: Location) -> None:
        wanted = kind if field is None else _WIRE_TYPES.get(field.type, _VARINT)
        packed = field is not None and field.is_repeated and kind == _BYTES != wanted
        if kind not in (_VARINT, _FIXED64, _BYTES, _FIXED32, _GROUP) or (
            kind != wanted and not packed
        ):
            raise _Fault(at, "wire_type")
        match kind:
            case 0:
                self._varint(end, at)
            case 2:
                self._bytes(field, wanted if packed else None, end, at)
            case 3:
                self._group(end, at)
            case _:
                self._skip(_FIXED[kind], end, at)

    def _bytes(
        self, field: FieldDescriptor | None, packed: int | None, end: int, at: Location
    ) -> None:
        length = self._varint(end, at)
        inner = self.position + length
        if inner > end:
            raise _Fault(at, "truncated")
        if packed is not None and not self.is_read:
            while self.position < inner:
                if packed == _VARINT:
                    self._varint(inner, at)
                else:
                    self._skip(_FIXED[packed], inner, at)
        elif field is not None and field.type == _F.TYPE_MESSAGE and len(at) < _DEEPEST:
            self.message(field.message_type, inner, at)
        elif field is not None and field.type == _F.TYPE_STRING and not self.is_read:
            try:
                self.data[self.position : inner].decode()
            except UnicodeDecodeError:
                raise _Fault(at, "string_unicode") from None
        self.position = inner

    def _group(self, end: int, at: Location) -> None:
        """Skip an unknown field of the kind that protobuf has given up."""
        depth = 1
        while depth:
            kind = self._varint(end, at) & 7
            if kind in (_GROUP, _END):
                depth += 1 if kind == _GROUP else -1
            else:
                self._value(None, kind, end, at)

    def _varint(self, end: int, at: Location) -> int:
        value = 0
        for index in range(_LONGEST_VARINT):
            if self.position >= end:
                raise _Fault(at, "truncated")
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value
        raise _Fault(at, "varint_too_long")

    def _skip(self, size: int, end: int, at: Location) -> None:
        if self.position + size > end:
            raise _Fault(at, "truncated")
        self.position += size


def _is_map(field: FieldDescriptor) -> bool:
    entry = field.message_type
    return entry is not None and entry.GetOptions().map_entry
