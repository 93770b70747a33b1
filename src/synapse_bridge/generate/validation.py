"""The constraints of a contract as ``buf.validate`` rules, for clients made from the ``.proto``.

A value of its own gets protovalidate's standard rules; what stands inside a generated message (a
wrapper, a tuple), which serves values of any constraints, gets a CEL expression at the field. What
neither can say exactly is left to the server: multiples of a float, bounds of numbers that travel
as text, and patterns that RE2 reads otherwise.

Rules: https://protovalidate.com/schemas/standard-rules; CEL: https://cel.dev.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from synapse_bridge.contract import Contract, Field
from synapse_bridge.contract.model import Required
from synapse_bridge.contract.types import (
    Constraints,
    Container,
    EnumRef,
    ListOf,
    MapOf,
    Nullable,
    Number,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    parts,
    unrooted,
)
from synapse_bridge.contract.wire import Slot, element, slot
from synapse_bridge.generate.re2 import translated

FILE = "buf/validate/validate.proto"

ONEOF = "(buf.validate.oneof).required = true"
"""The option of a union, which always holds one of its members."""

_FIELD = "(buf.validate.field)"
_WHOLE = frozenset({"int64", "uint64"})
_TEXT = {"string": "string", "secret_string": "string", "bytes": "bytes", "secret_bytes": "bytes"}
_UNIQUE = frozenset({"bool", "int64", "uint64", "double", "string", "bytes"})
_LIMITS = {"int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1)}


def used(contract: Contract) -> bool:
    """Whether anything in the file of a contract has a rule; a tuple's items have."""
    fields = [f for m in contract.messages for f in (*m.fields, *([m.extra] if m.extra else ()))]
    types = [field.type for field in fields]
    return bool(contract.unions) or any(map(field_options, fields)) or any(map(_has_tuple, types))


def _has_tuple(type_: Type) -> bool:
    return isinstance(type_, TupleOf) or any(map(_has_tuple, parts(type_).values()))


def field_options(field: Field) -> list[str]:
    """The options of a field."""
    found = [f"{_FIELD}.{rule}" for rule in _rules(field.type, slot(field.type, field.default))]
    if _must_be_sent(field):
        found.insert(0, f"{_FIELD}.required = true")
    return found


def member_options(type_: Type) -> list[str]:
    """The options of a union's member, which is checked where it is the one that was sent."""
    return [f"{_FIELD}.{rule}" for rule in _rules(type_, Slot("optional", element(type_)))]


def _must_be_sent(field: Field) -> bool:
    """Whether absence is refused. Of a list it would mean that it may not be empty."""
    optional = slot(field.type, field.default).label == "optional"
    absent_is_none = isinstance(unrooted(field.type), Nullable)
    required = isinstance(field.default, Required) and not field.computed
    return required and optional and not absent_is_none


def _rules(type_: Type, shape: Slot) -> Iterator[str]:
    plain = unrooted(type_)
    if isinstance(plain, Nullable) and shape.element == element(plain.inner):
        plain = unrooted(plain.inner)
    if isinstance(plain, Container) and shape.label != "optional":
        yield from _container(plain, shape)
    else:
        yield from _value(plain)


def _value(type_: Type) -> Iterator[str]:
    """The rules of one value."""
    if isinstance(type_, Scalar):
        yield from _scalar(type_)
        return
    conditions = list(_conditions(type_, "this", 1))
    if conditions:
        yield f"cel_expression = {_string(' && '.join(conditions))}"


def _cel(conditions: Iterator[str]) -> Iterator[str]:
    """The rule that all of the conditions hold, where there are any."""
    if expression := " && ".join(conditions):
        yield f"cel_expression = {_string(expression)}"


def _container(container: Container, shape: Slot) -> Iterator[str]:
    kind, unit = ("map", "pairs") if shape.label == "map" else ("repeated", "items")
    constraints = container.constraints
    if constraints.min_length:
        yield f"{kind}.min_{unit} = {constraints.min_length}"
    if constraints.max_length is not None:
        yield f"{kind}.max_{unit} = {constraints.max_length}"
    match container:
        case ListOf(item) | SetOf(item):
            if isinstance(container, SetOf) and _is_plain(item):
                yield "repeated.unique = true"
            yield from (f"repeated.items.{rule}" for rule in _value(unrooted(item)))
        case MapOf(key, value) if shape.label == "map":
            yield from (f"map.keys.{rule}" for rule in _value(unrooted(key)))
            yield from (f"map.values.{rule}" for rule in _value(unrooted(value)))
        case MapOf():
            conditions = list(_entry(container, "this", 1))
            if conditions:
                yield f"repeated.items.cel_expression = {_string(' && '.join(conditions))}"


def _is_plain(type_: Type) -> bool:
    """What protovalidate can find twice: scalars as such, and enums."""
    plain = unrooted(type_)
    return isinstance(plain, EnumRef) or (isinstance(plain, Scalar) and plain.kind in _UNIQUE)


def _scalar(scalar: Scalar) -> Iterator[str]:
    """Standard rules, or CEL where they would mean something else."""
    kind, constraints = scalar.kind, scalar.constraints
    if kind in _TEXT:
        if constraints.min_length:
            yield f"{_TEXT[kind]}.min_len = {constraints.min_length}"
        if constraints.max_length is not None:
            yield f"{_TEXT[kind]}.max_len = {constraints.max_length}"
        if (pattern := _pattern(constraints)) is not None:
            yield f"string.pattern = {_string(pattern)}"
        return
    if not _possible(scalar):
        # The standard rules read bounds that are the wrong way round as "outside of".
        yield 'cel_expression = "false"'
        return
    for bound in _bounds(scalar):
        if bound is not None:
            name, value = bound
            yield f"{kind}.{_RULES[name]} = {_number(value, kind)}"
    yield from (f'cel_expression = "{step}"' for step in _step(scalar, "this"))


_RULES = {"ge": "gte", "gt": "gt", "le": "lte", "lt": "lt"}
_OPERATORS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_Bound = tuple[str, Number]


def _bounds(scalar: Scalar) -> tuple[_Bound | None, _Bound | None]:
    """The lower and the upper bound of a number, of which there may be two each."""
    c = scalar.constraints
    if scalar.kind in _WHOLE:
        lowest, highest = _LIMITS[scalar.kind]
        low = [math.ceil(n) for n in [c.ge] if n is not None]
        low += [math.floor(n) + 1 for n in [c.gt] if n is not None]
        high = [math.floor(n) for n in [c.le] if n is not None]
        high += [math.ceil(n) - 1 for n in [c.lt] if n is not None]
        least = max(low, default=lowest)
        most = min(high, default=highest)
        return (
            ("ge", least) if least > lowest else None,
            ("le", most) if most < highest else None,
        )
    if scalar.kind != "double":
        return None, None
    lows: list[tuple[Number, str]] = [(c.ge, "ge")] if c.ge is not None else []
    lows += [(c.gt, "gt")] if c.gt is not None else []
    highs: list[tuple[Number, str]] = [(c.le, "le")] if c.le is not None else []
    highs += [(c.lt, "lt")] if c.lt is not None else []
    lower = max(lows, key=lambda one: (one[0], one[1] == "gt"), default=None)
    upper = min(highs, key=lambda one: (one[0], one[1] == "le"), default=None)
    return (
        None if lower is None else (lower[1], float(lower[0])),
        None if upper is None else (upper[1], float(upper[0])),
    )


def _possible(scalar: Scalar) -> bool:
    """Whether any number is within the bounds."""
    low, high = _bounds(scalar)
    smallest, largest = _LIMITS.get(scalar.kind, (-math.inf, math.inf))
    least = ("ge", smallest) if low is None else low
    most = ("le", largest) if high is None else high
    if least[1] > largest or most[1] < smallest:
        return False
    return least[1] < most[1] or (least[1] == most[1] and (least[0], most[0]) == ("ge", "le"))


def _step(scalar: Scalar, x: str) -> Iterator[str]:
    step = scalar.constraints.multiple_of
    if scalar.kind in _WHOLE and step is not None and float(step).is_integer() and step:
        sign = "u" if scalar.kind == "uint64" else ""
        yield f"{x} % {int(step)}{sign} == 0{sign}"


def _pattern(constraints: Constraints) -> str | None:
    return None if constraints.pattern is None else translated(constraints.pattern)


def _conditions(type_: Type, x: str, depth: int) -> Iterator[str]:
    """What CEL has to say of a value ``x`` in the place of an element."""
    match unrooted(type_):
        case Scalar() as scalar:
            yield from _scalar_conditions(scalar, x)
        case Nullable(inner):
            conditions = list(_conditions(inner, f"{x}.value", depth))
            if conditions:
                yield f"(!has({x}.value) || ({' && '.join(conditions)}))"
        case ListOf() | SetOf() as container:
            yield from _container_conditions(container, f"{x}.items", depth)
        case MapOf() as container:
            yield from _container_conditions(container, f"{x}.entries", depth)
        case TupleOf(items):
            for number, item in enumerate(items, 1):
                yield from _item_conditions(item, f"{x}.item_{number}", depth)
        case _:
            return


def _item_conditions(item: Type, x: str, depth: int) -> Iterator[str]:
    """A tuple's item is a required field; that it is there, its message demands."""
    plain = unrooted(item)
    if isinstance(plain, Container):
        yield from _container_conditions(plain, x, depth)
    elif isinstance(plain, Nullable):
        conditions = list(_conditions(plain.inner, x, depth))
        if conditions:
            yield f"(!has({x}) || ({' && '.join(conditions)}))"
    else:
        yield from _conditions(plain, x, depth)


def _container_conditions(container: Container, x: str, depth: int) -> Iterator[str]:
    constraints = container.constraints
    if constraints.min_length:
        yield f"size({x}) >= {constraints.min_length}"
    if constraints.max_length is not None:
        yield f"size({x}) <= {constraints.max_length}"
    name = f"v{depth}"
    match container:
        case ListOf(item) | SetOf(item):
            if isinstance(container, SetOf) and _is_plain(item):
                yield f"{x}.unique()"
            inside = list(_conditions(item, name, depth + 1))
        case MapOf(key, value) if slot(container, Required()).label == "map":
            inside = list(_conditions(key, name, depth + 1))
            inside += _conditions(value, f"{x}[{name}]", depth + 1)
        case MapOf():
            inside = list(_entry(container, name, depth + 1))
    if inside:
        yield f"{x}.all({name}, {' && '.join(inside)})"


def _entry(container: MapOf, x: str, depth: int) -> Iterator[str]:
    yield from _conditions(container.key, f"{x}.key", depth)
    yield from _conditions(container.value, f"{x}.value", depth)


def _scalar_conditions(scalar: Scalar, x: str) -> Iterator[str]:
    kind, constraints = scalar.kind, scalar.constraints
    if kind in _TEXT:
        if constraints.min_length:
            yield f"size({x}) >= {constraints.min_length}"
        if constraints.max_length is not None:
            yield f"size({x}) <= {constraints.max_length}"
        if (pattern := _pattern(constraints)) is not None:
            yield f"{x}.matches({json.dumps(pattern)})"
        return
    if not _possible(scalar):
        yield "false"
        return
    for bound in _bounds(scalar):
        if bound is not None:
            name, value = bound
            sign = "u" if kind == "uint64" else ""
            yield f"{x} {_OPERATORS[name]} {_number(value, kind)}{sign}"
    yield from _step(scalar, x)


def _number(value: Number, kind: str) -> str:
    return str(int(value)) if kind in _WHOLE else repr(float(value))


def _string(text: str) -> str:
    """A string literal of proto: UTF-8, with C escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())
