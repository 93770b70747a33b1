"""Random types, and random values of them: both as Python source, so that a failure can be read.

A table has the kinds without inner structure; what is made of other kinds, is made by functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Source = st.SearchStrategy[str]

IMPORTS = """\
import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import re
import typing
import uuid

import numpy
import pydantic
import typing_extensions

import synapse_bridge"""
"""What annotations and expressions lean on."""


@dataclass(frozen=True)
class Kind:
    """A type: its annotation, and a strategy for expressions of its values.

    ``families`` tell members of a union apart, which may not share any: nor may two be unsigned,
    which are told apart by their order, where ``typing`` keeps it. ``hashable``: its values
    can be keys, and what is equal in Python is the same in Elixir. ``arbitrary``: pydantic takes it
    where a model says ``arbitrary_types_allowed`` only.
    """

    annotation: str
    values: Source
    families: frozenset[str]
    hashable: bool = False
    nullable: bool = False
    arbitrary: bool = False

    def where(self, **constraints: Any) -> str:
        """The annotation with constraints."""
        given = ", ".join(f"{name}={value!r}" for name, value in constraints.items())
        return f"typing.Annotated[{self.annotation}, pydantic.Field({given})]"


def source(value: Any) -> str:
    """An expression of a plain value."""
    match value:
        case float() if not math.isfinite(value):
            return f"float({str(value)!r})"
        case list():
            return f"[{', '.join(map(source, value))}]"
        case dict():
            return f"{{{', '.join(f'{source(key)}: {source(one)}' for key, one in value.items())}}}"
    return repr(value)


def _in(module: str) -> Callable[[Any], str]:
    return lambda value: f"{module}.{value!r}"


def _call(name: str) -> Callable[[Any], str]:
    return lambda value: f"{name}({value!r})"


_INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from((0, -1, 2**53 + 1, 2**63 - 1, -(2**63)))
_UINT64 = st.integers(0, 2**64 - 1) | st.sampled_from((0, 2**64 - 1))
_BIG = st.integers() | st.integers(2**63, 2**300)
_TEXT = st.text(max_size=8) | st.sampled_from(
    ("", "\0", "#{raise(1)}", '"\\', "\U0001f469‍\U0001f467")
)
_BYTES = st.binary(max_size=8)
_ZONE = st.integers(-1439, 1439).map(
    lambda m: f"datetime.timezone(datetime.timedelta(minutes={m}))"
)
_DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
_TENSORS = (
    "numpy.array([[1.5, -2.0]], 'float32')",
    "numpy.zeros((0, 3), 'int64')",
    "numpy.array(True)",
    "numpy.array([1 + 2j, float('nan')], 'complex128')",
    "numpy.arange(6, dtype='uint8').reshape(2, 3)",
)
_URLS = (
    "https://example.org/a?b=c#d",
    "ftp://u:p@h.example:21/x%20y",
    "https://b\u00fccher.example/",
)
_PATTERNS = (r"^\d+$", "", "a|b", "[\u00e4\u00f6]", r"\\")


def _instants() -> Source:
    moments = st.datetimes().map(repr)
    plain = moments.map(lambda text: f"{text[:-1]}, tzinfo=datetime.UTC)")
    # At the ends of time there is no room for a zone.
    zoned = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(repr)
    return plain | st.builds(lambda text, zone: f"{text[:-1]}, tzinfo={zone})", zoned, _ZONE)


def _networks(version: int) -> Source:
    bits = 32 if version == 4 else 128
    pairs = st.tuples(st.integers(0, 2**bits - 1), st.integers(0, bits))
    name = f"ipaddress.IPv{version}Network"
    return pairs.map(lambda p: f"{name}(({p[0] >> (bits - p[1]) << (bits - p[1])}, {p[1]}))")


def _interfaces(version: int) -> Source:
    bits = 32 if version == 4 else 128
    pairs = st.tuples(st.integers(0, 2**bits - 1), st.integers(0, bits))
    return pairs.map(lambda pair: f"ipaddress.IPv{version}Interface(({pair[0]}, {pair[1]}))")


def _anything() -> Source:
    leaves = st.none() | st.booleans() | _BIG | st.floats() | _TEXT | _BYTES
    whole = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=6,
    )
    return whole.map(source)


def _kind(annotation: str, values: Source, *families: str, **settings: bool) -> Kind:
    return Kind(annotation, values, frozenset(families), **settings)


_ADDRESSES = {version: st.ip_addresses(v=version).map(_in("ipaddress")) for version in (4, 6)}

_NETWORK = ("unsigned", "set", "sequence", "tuple")
"""In a union with a set pydantic would make one of all the addresses in a network.

And beside a tuple it would make an interface or network of that, which may raise an IndexError.
"""

SCALARS: Sequence[Kind] = (
    _kind("bool", st.booleans().map(repr), "bool", hashable=True),
    _kind("int", _INT64.map(repr), "int", hashable=True),
    _kind(
        f"typing.Annotated[int, pydantic.Field(ge=0, le={2**64 - 1})]",
        _UINT64.map(repr),
        "int",
        hashable=True,
    ),
    _kind("typing.Annotated[int, synapse_bridge.BigInt]", _BIG.map(repr), "int", hashable=True),
    _kind("float", st.floats().map(source), "float"),
    _kind("decimal.Decimal", _DECIMAL.map(_in("decimal")), "decimal", hashable=True),
    _kind("str", _TEXT.map(repr), "str", hashable=True),
    _kind("bytes", _BYTES.map(repr), "bytes", hashable=True),
    _kind("bytearray", _BYTES.map(_call("bytearray")), "bytearray", arbitrary=True),
    _kind("pydantic.SecretStr", _TEXT.map(_call("pydantic.SecretStr")), "unsigned"),
    _kind("pydantic.SecretBytes", _BYTES.map(_call("pydantic.SecretBytes")), "unsigned"),
    _kind("datetime.datetime", _instants(), "datetime", hashable=True),
    _kind("pydantic.NaiveDatetime", st.datetimes().map(repr), "datetime", hashable=True),
    _kind("datetime.date", st.dates().map(repr), "date", hashable=True),
    _kind("datetime.time", st.times().map(repr), "time", hashable=True),
    _kind(
        "datetime.timedelta",
        st.integers(-(10**17), 10**17).map(lambda us: f"datetime.timedelta(microseconds={us})"),
        "timedelta",
        hashable=True,
    ),
    _kind("uuid.UUID", st.uuids().map(_in("uuid")), "uuid", hashable=True),
    _kind(
        "pathlib.Path",
        _TEXT.map(lambda text: f"pathlib.Path({text.replace(chr(0), '/')!r})"),
        "unsigned",
        hashable=True,
    ),
    _kind("pydantic.AnyUrl", st.sampled_from(_URLS).map(_call("pydantic.AnyUrl")), "url"),
    _kind(
        "pydantic.EmailStr", st.sampled_from(("'a@example.org'", "'\u00e4.b@example.org'")), "str"
    ),
    _kind("re.Pattern[str]", st.sampled_from(_PATTERNS).map(_call("re.compile")), "unsigned"),
    _kind("ipaddress.IPv4Address", _ADDRESSES[4], "unsigned", hashable=True),
    _kind("ipaddress.IPv6Address", _ADDRESSES[6], "unsigned", hashable=True),
    _kind("pydantic.IPvAnyAddress", _ADDRESSES[4] | _ADDRESSES[6], "unsigned", hashable=True),
    _kind("ipaddress.IPv4Interface", _interfaces(4), "unsigned", "tuple", hashable=True),
    _kind("ipaddress.IPv6Interface", _interfaces(6), "unsigned", "tuple", hashable=True),
    _kind(
        "pydantic.IPvAnyInterface",
        _interfaces(4) | _interfaces(6),
        "unsigned",
        "tuple",
        hashable=True,
    ),
    _kind("ipaddress.IPv4Network", _networks(4), *_NETWORK, hashable=True),
    _kind("ipaddress.IPv6Network", _networks(6), *_NETWORK, hashable=True),
    _kind("pydantic.IPvAnyNetwork", _networks(4) | _networks(6), *_NETWORK, hashable=True),
    _kind("typing.Any", _anything(), "any", nullable=True),
    _kind("numpy.ndarray", st.sampled_from(_TENSORS), "unsigned", arbitrary=True),
)

_RANGE = _kind("int", st.integers(-5, 5).map(repr), "int", hashable=True)
_SHARE = _kind("float", st.floats(0.5, 1.5).map(repr), "float")
_WORD = _kind("str", st.from_regex("[a-z]{2,5}", fullmatch=True).map(repr), "str", hashable=True)
_BLOB = _kind("bytes", st.binary(min_size=2, max_size=4).map(repr), "bytes", hashable=True)
CONSTRAINED: Sequence[Kind] = (
    replace(_RANGE, annotation=_RANGE.where(ge=-5, lt=6)),
    replace(_SHARE, annotation=_SHARE.where(ge=0.5, le=1.5)),
    replace(_WORD, annotation=_WORD.where(min_length=2, max_length=5, pattern="^[a-z]+$")),
    replace(_BLOB, annotation=_BLOB.where(min_length=2, max_length=4)),
)


def types(named: Sequence[Kind], depth: int) -> st.SearchStrategy[Kind]:
    """Types over the scalars and some classes, containers and unions nested so deep."""
    leaves = st.sampled_from(SCALARS) | st.sampled_from(CONSTRAINED)
    if named:
        leaves |= st.sampled_from(named)
    if depth == 0:
        return leaves
    inner = types(named, depth - 1)
    keys = st.sampled_from([kind for kind in (*SCALARS, *CONSTRAINED, *named) if kind.hashable])
    keys |= st.lists(keys, min_size=1, max_size=2).map(tuples)
    return st.one_of(
        leaves,
        inner.map(optional),
        st.builds(lists, inner, st.sampled_from(tuple(_LISTS)), st.booleans()),
        st.builds(sets, keys, st.sampled_from(tuple(_SETS))),
        st.builds(maps, keys, inner, st.sampled_from(tuple(_MAPS))),
        st.lists(inner, max_size=3).map(tuples),
        st.lists(inner, min_size=2, max_size=4).map(union),
    )


def optional(inner: Kind) -> Kind:
    """``inner | None``."""
    if inner.nullable:
        return inner
    return replace(
        inner,
        annotation=f"{inner.annotation} | None",
        values=st.just("None") | inner.values,
        hashable=False,
        nullable=True,
    )


_LISTS = {
    "list[{}]": "[{}]",
    "tuple[{}, ...]": "({},)",
    "collections.deque[{}]": "collections.deque([{}])",
    "collections.abc.Sequence[{}]": "[{}]",
}
_SETS = {
    "set[{}]": "{{{}}}",
    "frozenset[{}]": "frozenset({{{}}})",
    "collections.abc.Set[{}]": "frozenset({{{}}})",
}
_MAPS = {
    "dict[{}, {}]": "{{{}}}",
    "collections.abc.Mapping[{}, {}]": "{{{}}}",
    "collections.OrderedDict[{}, {}]": "collections.OrderedDict({{{}}})",
}
_FAMILIES = {"tuple": "tuple", "list": "sequence", "deque": "sequence", "Sequence": "sequence"}


def lists(item: Kind, form: str, bounded: bool) -> Kind:
    """A container of items in order; ``bounded`` puts a length on it."""
    values = st.lists(item.values, min_size=int(bounded), max_size=3).map(
        lambda items: _LISTS[form].format(", ".join(items)) if items else _empty(_LISTS[form])
    )
    family = "tuple" if form.startswith("tuple") else "sequence"
    families = {"tuple", "sequence"} if "Sequence" in form else {family}
    made = _around(form.format(item.annotation), values, families, item)
    return replace(made, annotation=made.where(min_length=1, max_length=3)) if bounded else made


def sets(item: Kind, form: str) -> Kind:
    """A container of different items."""
    values = st.lists(item.values, max_size=3).map(
        lambda items: _SETS[form].format(", ".join(items)) if items else _empty_set(form)
    )
    return _around(form.format(item.annotation), values, {"set"}, item)


def maps(key: Kind, value: Kind, form: str) -> Kind:
    """Values by keys."""
    entries = st.tuples(key.values, value.values).map(": ".join)
    values = st.lists(entries, max_size=3).map(lambda some: _MAPS[form].format(", ".join(some)))
    return _around(form.format(key.annotation, value.annotation), values, {"map"}, key, value)


def tuples(items: Sequence[Kind]) -> Kind:
    """A tuple with a type for each item."""
    annotations = ", ".join(item.annotation for item in items) or "()"
    values = st.tuples(*(item.values for item in items)).map(
        lambda found: f"({', '.join(found)},)" if found else "()"
    )
    made = _around(f"tuple[{annotations}]", values, {"tuple"}, *items)
    return replace(made, hashable=all(item.hashable for item in items))


def union(members: Sequence[Kind]) -> Kind:
    """``A | B | …`` of those that can be told apart; one alone is itself."""
    apart: list[Kind] = []
    families: set[str] = set()
    for member in members:
        if not (families | {"any"}) & member.families:
            apart.append(member)
            families |= member.families
    if not apart:
        return members[0]
    if len(apart) == 1:
        return apart[0]
    return Kind(
        f"typing.Union[{', '.join(member.annotation for member in apart)}]",
        st.one_of([member.values for member in apart]),
        frozenset(families),
        nullable=any(member.nullable for member in apart),
        arbitrary=any(member.arbitrary for member in apart),
    )


def _around(annotation: str, values: Source, families: set[str], *inner: Kind) -> Kind:
    arbitrary = any(kind.arbitrary for kind in inner)
    return Kind(annotation, values, frozenset(families), arbitrary=arbitrary)


def _empty(form: str) -> str:
    return "()" if form == "({},)" else form.format("")


def _empty_set(form: str) -> str:
    return "set()" if form.startswith("set") else "frozenset()"
