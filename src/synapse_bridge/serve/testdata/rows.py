"""Every row of the type table at every place where a type can stand.

For each there is a model, which has the type as a field with and without a default, in a list, a
dict, an optional, a union, a generic model and a recursive one; a function that gives such a model;
and one that takes the model, and takes and returns a value alone. They are made of one table.
"""

from __future__ import annotations

import collections
import enum
import ipaddress
import pathlib
import re
import uuid
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, List, Literal, NamedTuple, NotRequired, TypeVar, Union

import numpy as np
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    EmailStr,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    NaiveDatetime,
    RootModel,
    SecretBytes,
    SecretStr,
    create_model,
)
from pydantic_core import core_schema
from typing_extensions import TypeAliasType, TypedDict

from synapse_bridge import BigInt

_OPEN = ConfigDict(arbitrary_types_allowed=True)

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    model_config = _OPEN

    item: T
    following: list[T] = []


class Tree(BaseModel, Generic[T]):
    model_config = _OPEN

    leaf: T
    branches: list[Tree[T]] = []


class Other(BaseModel):
    """Stands beside each type in a union."""

    no: int


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = -1
    HIGH = 100


class Mood(enum.StrEnum):
    GLAD = "glad"


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Point(BaseModel):
    x: float
    label: str | None = "here"


@dataclass
class Segment:
    start: Point
    length: int = 1


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Options(TypedDict):
    size: int
    note: NotRequired[str | None]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class Ids(RootModel[list[bytes]]):
    pass


Either = RootModel[int | list[Point]]


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = ""


class Puppy(Dog):
    weeks: int = 0


class Unknown(str):
    """A member that an enum does not have yet: clients' generators write ``Literal[…] | Unknown``."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        made = core_schema.no_info_plain_validator_function(cls)
        return core_schema.lax_or_strict_schema(
            core_schema.chain_schema([core_schema.str_schema(), made]), core_schema.none_schema()
        )


class Shape:
    """Takes and gives what no model describes: any number of sides."""

    def __init__(self, sides: dict[str, float]) -> None:
        self.sides = sides

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and self.sides == other.sides

    def __hash__(self) -> int:
        return hash(tuple(self.sides))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        read = core_schema.no_info_after_validator_function(cls, handler(dict[str, float]))
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), read],
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda shape: shape.sides, return_schema=handler(dict[str, float])
            ),
        )


Nested = TypeAliasType("Nested", "int | list[Nested]")

_INTS = (0, 1, -1, 2**63 - 1, -(2**63))
_DAY = date(2024, 2, 29)
_NOON = datetime(2024, 5, 1, 12, 30, 0, 1, UTC)
_EARLY = datetime(1, 1, 1, tzinfo=UTC)
_LATE = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
_INFINITE = float("inf")

ROWS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "bool": (bool, (True, False)),
    "int64": (int, _INTS),
    "uint64": (Annotated[int, Field(ge=0, le=2**64 - 1)], (0, 2**64 - 1)),
    "bigint": (Annotated[int, BigInt], (0, 10**40, -(2**64))),
    "double": (float, (0.0, -0.0, 5e-324, _INFINITE, -_INFINITE, float("nan"))),
    "decimal": (Decimal, (Decimal("1.50"), Decimal("-1E+40"), Decimal("0"))),
    "string": (str, ("", "\0", "äöü\U0001f600", 'a"#{}\\')),
    "bytes": (bytes, (b"", b"\xff\0")),
    "bytearray": (bytearray, (bytearray(), bytearray(b"\xff"))),
    "secret_string": (SecretStr, (SecretStr("hush"), SecretStr(""))),
    "secret_bytes": (SecretBytes, (SecretBytes(b"\xff"), SecretBytes(b""))),
    "datetime": (datetime, (_NOON, _EARLY, _LATE, datetime(1969, 12, 31, 23, 59, 59, 1, UTC))),
    "naive_datetime": (NaiveDatetime, (datetime(1969, 1, 1, 0, 0, 0, 7), datetime(9999, 1, 1))),
    "email": (EmailStr, ("a@example.org",)),
    "date": (date, (_DAY, date.min, date.max)),
    "time": (time, (time(23, 59, 59, 999999), time())),
    "timedelta": (timedelta, (timedelta(), timedelta(microseconds=-1), timedelta(days=-400))),
    "uuid": (uuid.UUID, (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1))),
    "path": (pathlib.Path, (pathlib.Path("/a b/ä"), pathlib.Path())),
    "url": (AnyUrl, (AnyUrl("https://example.org/a?b=c#d"),)),
    "regex": (re.Pattern[str], (re.compile(r"^\d+$"), re.compile(""))),
    "ipv4": (ipaddress.IPv4Address, (ipaddress.IPv4Address("127.0.0.1"),)),
    "ipv6": (ipaddress.IPv6Address, (ipaddress.IPv6Address("2001:db8::1"),)),
    "ip": (IPvAnyAddress, (ipaddress.IPv6Address("::"), ipaddress.IPv4Address("1.2.3.4"))),
    "ipv4_interface": (ipaddress.IPv4Interface, (ipaddress.IPv4Interface("10.0.0.1/8"),)),
    "ipv6_interface": (ipaddress.IPv6Interface, (ipaddress.IPv6Interface("2001:db8::1/64"),)),
    "ip_interface": (IPvAnyInterface, (ipaddress.IPv4Interface("10.0.0.1/8"),)),
    "ipv4_network": (ipaddress.IPv4Network, (ipaddress.IPv4Network("10.0.0.0/8"),)),
    "ipv6_network": (ipaddress.IPv6Network, (ipaddress.IPv6Network("2001:db8::/32"),)),
    "ip_network": (IPvAnyNetwork, (ipaddress.IPv6Network("::/0"),)),
    "any": (Any, (None, True, 1, 2**70, -0.0, "", b"\xff", [1, [2.0]], {"a": {"": None}})),
    "bare_dict": (dict, ({"a": 1}, {})),
    "tensor": (np.ndarray, (np.array([[1.5, 2.5]], np.float32), np.array(True))),
    "list": (list[int], ([], [1, 2])),
    "sequence": (Sequence[str], (["a"], [])),
    "tuple_of_any_length": (tuple[float, ...], ((1.0,), ())),
    "deque": (collections.deque[date], (collections.deque([_DAY]),)),
    "set": (set[int], (set(), {1, 2})),
    "frozenset": (frozenset[str], (frozenset({"a"}),)),
    "abstract_set": (AbstractSet[date], (frozenset({_DAY}),)),
    "tuple": (tuple[int, list[str]], ((0, []), (1, ["a"]))),
    "map": (dict[str, int], ({}, {"": 0, "a": 1})),
    "map_by_date": (dict[date, list[int]], ({_DAY: [1]}, {})),
    "defaultdict": (collections.defaultdict[str, float], (collections.defaultdict(float, a=1.0),)),
    "ordered": (collections.OrderedDict[int, str], (collections.OrderedDict({2: "b", 1: "a"}),)),
    "nullable": (int | None, (0, None)),
    "model": (Point, (Point(x=0.0), Point(x=1.0, label=None))),
    "dataclass": (Segment, (Segment(Point(x=1.0)), Segment(Point(x=2.0), 0))),
    "named_tuple": (Pair, (Pair(1), Pair(0, ""))),
    "typed_dict": (Options, ({"size": 1}, {"size": 0, "note": None})),
    "open_model": (Open, (Open(name=""), Open(name="a", more=[1], b=None))),  # type: ignore[call-arg]
    "enum": (Colour, (Colour.RED, Colour.GREEN)),
    "int_enum": (Level, (Level.LOW, Level.HIGH)),
    "str_enum": (Mood, (Mood.GLAD,)),
    "literal": (Literal["a", 1, b"\xff", None], ("a", 1, b"\xff", None)),
    "union": (int | str | list[Point] | bool, (1, True, "1", [], [Point(x=1.0)])),
    "numbers": (bool | int | float, (True, 1, 1.0)),
    "subclasses": (Dog | Puppy, (Dog(), Puppy(name="p", weeks=3))),
    "tagged": (Annotated[Cat | Dog, Field(discriminator="kind")], (Cat(), Dog(name="d"))),
    "nested": (Nested, (1, [], [1, [2, []]])),
    "root": (Ids, (Ids([]), Ids([b"a"]))),
    "custom": (Permission, (Permission(0), Permission.READ | Permission.WRITE)),
    "open_literal": (Literal["a", "b"] | Unknown, ("b", Unknown("c"), Unknown(""))),
    "by_schema": (Shape, (Shape({}), Shape({"a": 1.0, "b": -0.0}))),
    "lists": (list[float] | list[list[float]], ([1.0], [[1.0]], [[]], [])),
    "generic_root": (Either, (Either(1), Either([Point(x=1.0)]), Either([]))),
    "wrapped": (list[dict[str, int | None] | None], ([], [None, {}, {"a": None, "b": 0}])),
}
"""A type for each name, and values of it that are easily lost."""


def seen(value: Any) -> Any:
    """What is equal for equal values of equal types only, down to the sign of a zero."""
    match value:
        case np.ndarray():
            return str(value.dtype), value.shape, value.tobytes()
        case SecretStr() | SecretBytes():
            return type(value), value.get_secret_value()
        case BaseModel():
            held = {**value.__dict__, **(value.__pydantic_extra__ or {})}
            return type(value), {name: seen(one) for name, one in held.items()}
        case Segment():
            return Segment, {name: seen(one) for name, one in vars(value).items()}
        case set() | frozenset():
            return type(value), {seen(one) for one in value}
        case dict():
            return type(value), {key: seen(one) for key, one in value.items()}
        case list() | tuple() | collections.deque():
            return type(value), [seen(one) for one in value]
    return type(value), repr(value) if isinstance(value, float) else value


def _model(title: str, kind: Any, default: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "required": kind,
        "default": (kind, default),
        "items": list[kind],
        "entries": dict[str, kind],
        "maybe": kind | None,
        "maybe_absent": (kind | None, None),
        "either": list[kind | Other],
        "either_order": List[Union[Other, kind]],  # noqa: UP006, UP007 - whose order nobody knows
        "page": Page[kind],
        "tree": Tree[kind],
    }
    return create_model(title, __config__=_OPEN, __module__=__name__, **fields)


def filled(name):  # type: ignore[no-untyped-def] # so that it is no function of the service
    """A model of a row, with all values of its type."""
    _, values = ROWS[name]
    last = values[-1]
    page, tree = Page[ROWS[name][0]], Tree[ROWS[name][0]]
    branches = [tree.model_construct(leaf=values[0], branches=[])]
    made: BaseModel = globals()[_class_of(name)].model_construct(
        required=last,
        default=last,
        items=list(values),
        entries={f"{index}": value for index, value in enumerate(values)},
        maybe=last,
        maybe_absent=last,
        either=[*values, Other(no=1)],
        either_order=[Other(no=1), *values],
        page=page.model_construct(item=last, following=list(values)),
        tree=tree.model_construct(leaf=last, branches=branches),
    )
    return made


def _class_of(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) + "Row"


def _functions(name: str, kind: Any, default: Any) -> dict[str, Callable[..., Any]]:
    row = globals()[_class_of(name)]

    def give() -> Any:
        return filled(name)

    def echo(row: Any, value: Any = default) -> Any:
        if seen(row) != seen(filled(name)):
            raise ValueError(f"{row!r} is not {filled(name)!r}")
        return value

    give.__annotations__ = {"return": row}
    echo.__annotations__ = {"row": row, "value": kind, "return": kind}
    found = {f"give_{name}": give, f"echo_{name}": echo}
    for known, function in found.items():
        function.__name__ = function.__qualname__ = known
    return found


for _name, (_kind, _values) in ROWS.items():
    globals()[_class_of(_name)] = _model(_class_of(_name), _kind, _values[0])
    globals().update(_functions(_name, _kind, _values[0]))
