"""Writes vectors.txt: what pydantic says of values under constraints.

Usage: python make_vectors.py (needs pydantic). A line is a type as Elixir source (as in a field of
`SynapseBridge.Message`), a tab, a value as Elixir source, and then for each error a tab, its
location as Elixir source, a tab, its rule, a tab, and its message as Elixir source.

Integers and floats are drawn at random, from a fixed seed, beside the ones at the edges.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import json
import math
import random
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    Field,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    NaiveDatetime,
    SecretBytes,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

HERE = Path(__file__).parent
RANDOM = random.Random(2)


class Currency(enum.Enum):
    """As in test/support/orders.ex."""

    EUR = "€"
    USD = "$"


class Color(enum.Enum):
    """As in test/support/everything.ex."""

    RED = "rouge"
    GREEN = 'it\'s "green"'
    FAR = 300


class Cat(BaseModel):
    """As in test/support/kinds.ex."""

    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    """As in test/support/kinds.ex."""

    kind: Literal["dog", "puppy"]
    name: str


Priority = Literal["low", "high", 7]
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

KINDS: Mapping[type, str] = {
    bool: "bool",
    int: "int64",
    float: "double",
    str: "string",
    bytes: "bytes",
}


def elixir(value: object) -> str:
    """A value as Elixir source."""
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            if math.isnan(value):
                return ":nan"
            if math.isinf(value):
                return ":infinity" if value > 0 else ":negative_infinity"
            text = repr(value)
            mantissa, e, exponent = text.partition("e")
            return (mantissa if "." in mantissa else mantissa + ".0") + e + exponent
        case str():
            return json.dumps(value, ensure_ascii=False).replace("#{", "\\#{")
        case bytes():
            return f"<<{', '.join(map(str, value))}>>"
        case tuple():
            return f"{{{', '.join(map(elixir, value))}}}"
        case list():
            return f"[{', '.join(map(elixir, value))}]"
        case set() | frozenset():
            return f"MapSet.new([{', '.join(map(elixir, sorted(value)))}])"
        case dt.datetime():
            text = value.replace(tzinfo=None).isoformat()
            return f"~U[{text}Z]" if value.tzinfo else f"~N[{text}]"
        case dt.date():
            return f"~D[{value.isoformat()}]"
        case dt.time():
            return f"~T[{value.isoformat()}]"
        case dict():
            return f"%{{{', '.join(f'{elixir(k)} => {elixir(v)}' for k, v in value.items())}}}"
        case _:
            raise TypeError(value)


def with_constraints(type_: str, constraints: Mapping[str, Any]) -> str:
    if not constraints:
        return type_
    pairs = ", ".join(f"{name}: {elixir(bound)}" for name, bound in constraints.items())
    return f"{{{type_}, [{pairs}]}}"


def line(annotation: Any, type_: str, value: object, *, strict: bool = True) -> str:
    columns = [type_, elixir(value)]
    try:
        TypeAdapter(annotation).validate_python(value, strict=strict)
    except ValidationError as error:
        for e in error.errors():
            columns += [elixir(list(e["loc"])), e["type"], elixir(e["msg"])]
    return "\t".join(columns)


def scalar(python: type, values: list[Any], **constraints: Any) -> Iterator[str]:
    annotation = Annotated[python, Field(**constraints)]
    for value in values:
        yield line(annotation, with_constraints(f":{KINDS[python]}", constraints), value)


def numbers() -> Iterator[str]:
    edges = [0, 1, -1, 2, 4, 5, 6, 7, 10, 100, -100, 2**53 + 1, 2**63 - 1, -(2**63)]
    integers = edges + [RANDOM.randrange(-(2**63), 2**63) for _ in range(10)]
    yield from scalar(int, [*integers, 1.5, "1", True, None])
    for bound in (0, 5, -7, 10**6, 2**63 - 1, 2.0):
        for name in ("ge", "gt", "le", "lt"):
            yield from scalar(int, integers, **{name: bound})
    for bound in (1, 2, 3, 7, 10, 1000003):
        yield from scalar(int, [*integers, bound, 3 * bound], multiple_of=bound)
    yield from scalar(int, integers, multiple_of=3, le=6, lt=5, ge=-50, gt=-60)

    floats = [0.0, -0.0, 0.1, 0.3, 0.35, 1.0, 2.5, -2.5, 1e16, 1e22, 1e300, 5e-324, 1.5e-7]
    floats += [math.nan, math.inf, -math.inf]
    floats += [RANDOM.uniform(-1, 1) * 10.0 ** RANDOM.randrange(-20, 20) for _ in range(20)]
    yield from scalar(float, [*floats, 1, 0, 10**400, "1.0", True, None])
    for bound in (0, 0.0, 0.1, -2.5, 5, 1e16, 1e22, 1.5e-7, 1e300, 123456789012345680.0):
        for name in ("ge", "gt", "le", "lt"):
            yield from scalar(float, floats, **{name: bound})
    for bound in (math.inf, -math.inf, math.nan):
        for name in ("ge", "gt", "le", "lt"):
            yield from scalar(float, floats[:16], **{name: bound})
    for bound in (0.1, 0.01, 0.5, 3, 1e-9, 2.5, 1e10, 0.3):
        multiples = [bound * RANDOM.randrange(-(10**6), 10**6) for _ in range(10)]
        near = [x * (1 + RANDOM.choice([1e-8, 1e-10, 1e-12, -1e-9])) for x in multiples]
        yield from scalar(float, floats + multiples + near, multiple_of=bound)
    yield from scalar(float, floats, multiple_of=0.5, le=2, lt=2.0, ge=-2.0, gt=-2)


def texts() -> Iterator[str]:
    strings = ["", "a", "ab", "abc", "abcd", "é", "e\u0301", "👨‍👩‍👧", "日本語", "x" * 20]
    yield from scalar(str, [*strings, 1, None, True])
    for length in (0, 1, 2, 3, 20):
        yield from scalar(str, strings, min_length=length)
        yield from scalar(str, strings, max_length=length)
    yield from scalar(str, strings, min_length=3, max_length=1, pattern="a")
    yield from scalar(str, strings, min_length=2, max_length=3, pattern="^a")

    data = [b"", b"\xff", b"ab", b"abc"]
    yield from scalar(bytes, [*data, 1, None])
    for length in (0, 1, 2):
        yield from scalar(bytes, data, min_length=length)
        yield from scalar(bytes, data, max_length=length)


def patterns() -> Iterator[str]:
    subjects = ["", "a", "A", "ab", "a\n", "\n", "aab", "a-b", "a_b", "12345", "1234", "é", "É"]
    subjects += ["٣", "²", "foo bar", "foo\u00a0bar", "foo\u0085bar", "ﬀ", "ß", "SS", "K", "k"]
    subjects += ["AB-12", "AB-12\n", "x@y.z", "a]b", "a&b", "a--b", "[", "\\", "aaaa", "\u0301"]
    sources = ["a", "^a", "a$", "^a$", r"\Aa\z", r"\d", r"^\d+$", r"^\w+$", r"\W", r"\s", r"\bb"]
    sources += ["(?i)^ss$", "(?i)k", "(?i)é", ".", "(?s).", "(?m)^$", "^[0-9]{5}$", "^[^a-z]+$"]
    sources += ["[[:alpha:]]", "[a-z&&[^b]]", "[a-z--b]", r"[\w&&\d]", "a++", r"\v"]
    sources += ["(?x) a b # c", r"\p{L}", r"\p{Greek}", r"\pN", r"^[A-Z]{2}-\d+$", "(?P<n>a)b"]
    sources += ["(?<n>a)b", "(?U)a+", r"\x{61}", r"\u0061", r"[^\d\s]", "a|b|", "(a|b)*c?", "é+"]
    sources += [r"^[\w.+-]+@[\w-]+\.\w+$", r"[]a]", r"[\]a]", r"\-", r"\/", r"(?:ab){1,2}", r"\z"]
    for source in sources:
        yield from scalar(str, subjects, pattern=source)


def containers() -> Iterator[str]:
    small = Annotated[int, Field(ge=0)]
    lists: list[list[Any]] = [[], [1], [1, 2], [1, 2, 3], [-1], [1, -1, -2], ["x", 1, None]]
    for constraints in ({}, {"min_length": 1}, {"min_length": 2}, {"max_length": 0}):
        for more in ({}, {"max_length": 2}):
            every = {**constraints, **more}
            annotation = Annotated[list[small], Field(**every)]
            type_ = with_constraints("{:list, {:int64, [ge: 0]}}", every)
            for value in [*lists, 1, None, "ab"]:
                yield line(annotation, type_, value)

    maps: list[dict[Any, Any]] = [{}, {"a": 1}, {"a": 1, "b": 2}, {"a": -1}, {"odd key": "x"}]
    for constraints in ({}, {"min_length": 2}, {"max_length": 1}):
        annotation = Annotated[dict[str, small], Field(**constraints)]
        type_ = with_constraints("{:map, :string, {:int64, [ge: 0]}}", constraints)
        for value in [*maps, {1: 1}]:
            yield line(annotation, type_, value)

    short = Annotated[str, Field(max_length=2)]
    for value in ({"abc": 1}, {"abc": -1, "ab": 1}):
        yield line(
            dict[short, small], "{:map, {:string, [max_length: 2]}, {:int64, [ge: 0]}}", value
        )

    yield from (
        line(small | None, "{:nullable, {:int64, [ge: 0]}}", value) for value in (None, 1, -1)
    )
    nested = "{:list, {:wrapped, {:nullable, {:wrapped, {:list, :string}}}}}"
    for value in ([None, [], ["a"]], [["a", 1], None, 2]):
        yield line(list[list[str] | None], nested, value)


def enums() -> Iterator[str]:
    for value in ("x", 0, None):
        yield line(Currency, "{:enum, Shop.Orders.Currency}", value, strict=False)
        yield line(Color, "{:enum, SynapseBridge.Fixtures.Color}", value, strict=False)
        yield line(Priority, "{:enum, Shop.Orders.Priority}", value, strict=False)


def times() -> Iterator[str]:
    naive = dt.datetime(2024, 2, 29, 1, 2, 3)
    aware = naive.replace(tzinfo=dt.UTC)
    others = [naive.date(), naive.time(), 5, "2024-02-29", None, True, [], {}]
    for annotation, kind in ((AwareDatetime, "datetime"), (NaiveDatetime, "naive_datetime")):
        # A date is a datetime to pydantic where it is not strict, so it is left out.
        for value in (naive, aware, *others[1:]):
            yield line(annotation, f":{kind}", value)
    for value in (naive.date(), aware, *others[1:]):
        yield line(dt.date, ":date", value)
    for value in (naive.time(), aware, others[0], *others[2:]):
        yield line(dt.time, ":time", value)
    for value in (naive.time(), naive, "1", None, [], 1.5):
        yield line(dt.timedelta, ":timedelta", value)


UUIDS = ["", "x", "g" * 32, "a" * 31, "a" * 32, "A" * 32, "a" * 33, "{" + "a" * 32 + "}", "é", "-"]
UUIDS += ["12345678-1234-1234-1234-1234567890ab", "12345678-1234-1234-1234-1234567890a"]
UUIDS += ["12345678-1234-1234-1234-1234567890abc", "12345678-1234-1234-12341-234567890ab"]
UUIDS += ["1234567-81234-1234-1234-1234567890ab", "12345678-1234-1234-1234-1234567890aG"]
UUIDS += ["urn:uuid:12345678-1234-1234-1234-1234567890ab", "urn:uuid:" + "a" * 32]
UUIDS += ["{12345678-1234-1234-1234-1234567890ab}", "12345678-1234-1234-1234", "-" * 36]
UUIDS += ["12345678-1234-1234-12341234567890ab", "zz345678-1234-1234-1234-1234567890ab"]

DECIMALS = ["0", "-1.50", "+1", ".5", "5.", "1e400", "1E-400", " 1 ", "1_000", "", ".", "x", "1e"]
DECIMALS += ["NaN", "-inf", "Infinity", "sNaN", "1.2.3", "--1", "0x10", "1,5", "٣"]

ADDRESSES = ["", "1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "x"]
ADDRESSES += ["01.2.3.4", "1.2.3.4 ", "1..2.3", "1.2.3.4/5", "1.2.3.0/24", "1.2.3.4/24", "٣.2.3.4"]
ADDRESSES += ["1.2.3.4/", "1.2.3.4/33", "1.2.3.4/255.255.255.0", "1.2.3.4/0.0.0.255"]
ADDRESSES += ["1.2.3.4/255.0.255.0", "1.2.3.4/24/3", "1.2.3.4/+4", "1.2.3.4/024", "0.0.0.0/0"]
ADDRESSES += ["::", "::1", ":::", "1::2::3", "fe80::1%eth0", "fe80::1%", "fe80::1%a%b", "1::", ":1"]
ADDRESSES += ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8:9", "1:"]
ADDRESSES += [
    "::1:2:3:4:5:6:7",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "ABCD::ef",
    "::ffff:1.2.3.4",
]
ADDRESSES += ["::1.2.3.400", "1.2.3.4::", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::/0"]
ADDRESSES += ["::/128", "::/129", "::/ffff::", "::1/64", "fe80::/10", "fe80::/1", "::/0128"]

ADDRESS_KINDS: Mapping[str, Any] = {
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "ip": IPvAnyAddress,
    "ipv4_interface": ipaddress.IPv4Interface,
    "ipv6_interface": ipaddress.IPv6Interface,
    "ip_interface": IPvAnyInterface,
    "ipv4_network": ipaddress.IPv4Network,
    "ipv6_network": ipaddress.IPv6Network,
    "ip_network": IPvAnyNetwork,
}


def kinds() -> Iterator[str]:
    for value in (0, -1, 10**30, "1", 1.5, None, True):
        yield line(int, ":bigint", value)
    for value in (0, 10**29, 10**30, -(10**40)):
        yield line(Annotated[int, Field(ge=10**30)], f"{{:bigint, [ge: {10**30}]}}", value)
        yield line(Annotated[int, Field(multiple_of=7)], "{:bigint, [multiple_of: 7]}", value)

    # Not strict, because it is texts that come over the wire.
    loose: list[tuple[Any, str, list[Any]]] = [
        (uuid.UUID, ":uuid", [*UUIDS, 1, None]),
        (decimal.Decimal, ":decimal", [*DECIMALS, 1, 0.1, 1e300, math.nan, None, True, []]),
        (AnyUrl, ":url", ["https://example.org", "", 1, None]),
        (Path, ":path", ["a/b", "", 1, None]),
        (re.Pattern[str], ":regex", ["a+", 1, None]),
    ]
    loose += [(type_, f":{kind}", [*ADDRESSES, None]) for kind, type_ in ADDRESS_KINDS.items()]
    for annotation, type_, values in loose:
        for value in values:
            yield line(annotation, type_, value, strict=False)

    for value in ("", "é", "ab", "abc", 1, None):
        for bounds in ({}, {"min_length": 2}, {"max_length": 1}):
            type_ = with_constraints(":secret_string", bounds)
            yield line(Annotated[SecretStr, Field(**bounds)], type_, value)
    for data in (b"", b"ab", 1, None):
        for bounds in ({}, {"min_length": 1}, {"max_length": 1}):
            type_ = with_constraints(":secret_bytes", bounds)
            yield line(Annotated[SecretBytes, Field(**bounds)], type_, data)

    for number in (1.5, math.inf, -math.inf, math.nan):
        finite = Annotated[float, Field(allow_inf_nan=False)]
        yield line(finite, "{:double, [allow_inf_nan: false]}", number)
    for text in ("NaN", "-Infinity", "1", "x"):
        special = Annotated[decimal.Decimal, Field(allow_inf_nan=True)]
        yield line(special, "{:decimal, [allow_inf_nan: true]}", text, strict=False)


def sets_and_tuples() -> Iterator[str]:
    for bounds in ({}, {"min_length": 1}, {"min_length": 2}, {"max_length": 1}):
        type_ = with_constraints("{:set, :int64}", bounds)
        for value in (set(), {1}, {1, 2, 3}, {"x"}, 1, "ab", None, {1: 2}):
            yield line(Annotated[set[int], Field(**bounds)], type_, value)
    pair = "{:tuple, [:int64, {:nullable, :string}]}"
    for value in ((1, "a"), (1, None), ("a", 1), (1,), (), (1, "a", 3), [1, "a"], 1, None, "ab"):
        yield line(tuple[int, str | None], pair, value)
    nested = "{:tuple, [{:list, {:tuple, [:bool]}}]}"
    for value in (([],), ([(True,), (1,), ()],)):
        yield line(tuple[list[tuple[bool]]], nested, value)
    by_pair = "{:map, {:tuple, [:int64, :string]}, :int64}"
    yield line(dict[tuple[int, str], int], by_pair, {(1, "a"): 1})


def unions() -> Iterator[str]:
    for value in ({}, {"kind": "cow"}, {"kind": "cat"}, {"name": "x"}, {"kind": 1}):
        yield line(Pet, "{:union, SynapseBridge.Fixtures.Pet}", value)


if __name__ == "__main__":
    lines = [*numbers(), *texts(), *patterns(), *containers(), *enums()]
    lines += [*times(), *kinds(), *sets_and_tuples(), *unions()]
    (HERE / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
