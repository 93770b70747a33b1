"""Results to the wire, exactly: what generated converters call for each value.

Protobuf's constructors are lenient: ``None`` means "unset", ``True`` is an ``int64``, and a missing
attribute would travel as nothing. A result must never change in silence, so every value is checked
against its annotation first, by the rules of pydantic's strict mode (``bool`` is no ``int``, an
``int`` is a ``float``), and against what the wire can hold.

Every converter has the signature ``(value, at, key)``: ``value`` stands at ``key`` of the object at
``at``. So converters nest without knowing each other, and a path costs one small tuple per message.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeAlias, TypeVar

Key: TypeAlias = "str | int"
At: TypeAlias = "tuple[At | None, Key, int]"
"""A place in a result: the place it is in, its key there, and how many messages enclose it."""

TOP: At = (None, "", 0)
"""The place of the response message itself."""

MAX_DEPTH = 100
"""How deep messages may nest. Protobuf's own decoders stop at the same depth."""

T = TypeVar("T")
K = TypeVar("K")
W = TypeVar("W")


class Mismatch(Exception):
    """A value does not fit its annotation. Says where and of which type, never the value itself."""

    def __init__(self, problem: str, at: At, key: Key) -> None:
        self.path = path(at, key)
        self.problem = problem
        super().__init__(f"{self.path}: {problem}")


def path(at: At, key: Key) -> str:
    """The place as people write it: ``result.items[3].prices["odd key"]``."""
    keys = [key]
    place: At | None = at
    while place is not None and place[0] is not None:
        keys.append(place[1])
        place = place[0]
    text = ""
    for part in reversed(keys):
        if isinstance(part, str) and part.isidentifier():
            text += f".{part}" if text else part
        elif isinstance(part, str):
            text += '["' + part.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        else:
            text += f"[{part}]"
    return text


def enter(value: object, annotation: type, at: At, key: Key) -> At:
    """The place of a message, after checking that ``value`` is one, and not nested too deep."""
    if not isinstance(value, annotation):
        raise _unfit(value, annotation.__qualname__, at, key)
    return deeper(at, key)


def deeper(at: At, key: Key) -> At:
    """The place of a message or wrapper inside the one at ``at``."""
    depth = at[2] + 1
    if depth > MAX_DEPTH:
        raise Mismatch(f"is nested deeper than {MAX_DEPTH} levels, or contains itself", at, key)
    return (at, key, depth)


def missing(error: AttributeError, at: At) -> Mismatch:
    """What to raise when reading an attribute of the value at ``at`` failed."""
    owner = type(error.obj).__qualname__
    return Mismatch(f"is missing: this {owner} was made without it", at, error.name or "?")


def none(value: None, at: At, key: Key) -> None:
    """Nothing, as annotated."""
    if value is not None:
        raise _unfit(value, "None", at, key)


def boolean(value: bool, at: At, key: Key) -> bool:
    """A ``bool``; ``0`` and ``1`` are none."""
    if type(value) is bool:
        return value
    raise _unfit(value, "bool", at, key)


def int64(value: int, at: At, key: Key) -> int:
    """An ``int`` within 64 signed bits."""
    if type(value) is int and -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return value
    return _integer(value, -(2**63), 2**63 - 1, at, key)


def uint64(value: int, at: At, key: Key) -> int:
    """An ``int`` within 64 unsigned bits."""
    if type(value) is int and 0 <= value <= 0xFFFFFFFFFFFFFFFF:
        return value
    return _integer(value, 0, 2**64 - 1, at, key)


def double(value: float, at: At, key: Key) -> float:
    """A ``float``, or an ``int`` that a double holds exactly."""
    if type(value) is float:
        return value
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unfit(value, "float", at, key)
    try:
        converted = float(value)
    except OverflowError:
        converted = float("inf")
    if converted != value:
        raise Mismatch("is an int that no float holds exactly", at, key)
    return converted


def string(value: str, at: At, key: Key) -> str:
    """A ``str`` that UTF-8 can hold."""
    if type(value) is str and value.isascii():
        return value
    if not isinstance(value, str):
        raise _unfit(value, "str", at, key)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        problem = f"holds a lone surrogate at index {error.start}, which is no text in UTF-8"
        raise Mismatch(problem, at, key) from None
    return value


def binary(value: bytes, at: At, key: Key) -> bytes:
    """A ``bytes``."""
    if isinstance(value, bytes):
        return value
    raise _unfit(value, "bytes", at, key)


def list_of(convert: Callable[[T, At, Key], W], value: list[T], at: At, key: Key) -> list[W]:
    """Each item of a ``list``, converted."""
    if not isinstance(value, list):
        raise _unfit(value, "list", at, key)
    here = (at, key, at[2])
    return [convert(item, here, index) for index, item in enumerate(value)]


def map_of(
    convert_key: Callable[[K, At, Key], K],
    convert: Callable[[T, At, Key], W],
    value: dict[K, T],
    at: At,
    key: Key,
) -> dict[K, W]:
    """Each entry of a ``dict``, converted. An entry is a message of its own on the wire."""
    if not isinstance(value, dict):
        raise _unfit(value, "dict", at, key)
    here = deeper(at, key)
    converted: dict[K, W] = {}
    for name, item in value.items():
        shown = name if isinstance(name, (str, int)) else repr(type(name))
        converted[convert_key(name, here, shown)] = convert(item, here, shown)
    return converted


def list_from(convert: Callable[[W], T], items: Iterable[W]) -> list[T]:
    """Each item of a repeated field, read."""
    return list(map(convert, items))


def map_from(convert: Callable[[W], T], entries: Mapping[K, W]) -> dict[K, T]:
    """Each value of a map field, read."""
    return {key: convert(value) for key, value in entries.items()}


class UnknownEnum:
    """Stands for an enum number that no member has.

    Validators take it for no member, so the violation comes from the enum's own validator, with its
    path, beside all other violations of the request.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<unknown enum number {self.number}>"


M = TypeVar("M", bound=Hashable)


class Members(Generic[M]):
    """The members of an enum (or the values of a ``Literal``) and their numbers on the wire."""

    def __init__(self, members: Mapping[int, M]) -> None:
        self._members = dict(members)
        # 1 == True and a member of a StrEnum equals its text: the type is part of the key.
        self._numbers = {(type(member), member): number for number, member in members.items()}

    def from_wire(self, number: int) -> M | UnknownEnum:
        """The member of that number."""
        try:
            return self._members[number]
        except KeyError:
            return UnknownEnum(number)

    def to_wire(self, value: M, at: At, key: Key) -> int:
        """The number of a member."""
        try:
            return self._numbers[type(value), value]
        except (KeyError, TypeError):
            shown = ", ".join(repr(member) for member in self._members.values())
            raise _unfit(value, f"one of {shown}", at, key) from None


def _integer(value: int, low: int, high: int, at: At, key: Key) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unfit(value, "int", at, key)
    if not low <= value <= high:
        raise Mismatch(f"is an int outside of {low} … {high}, which the wire cannot hold", at, key)
    return int(value)


def _unfit(value: object, expected: str, at: At, key: Key) -> Mismatch:
    return Mismatch(f"should be {expected}, is {type(value).__qualname__}", at, key)
