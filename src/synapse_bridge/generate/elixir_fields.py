"""Rows of the field table of a ``SynapseBridge.Message``: types and defaults as source."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

import pydantic

from synapse_bridge.contract import (
    Constraints,
    Contract,
    Custom,
    EnumRef,
    Field,
    JSONValue,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    elixir_terms,
)
from synapse_bridge.contract.registry import ROWS, row
from synapse_bridge.contract.types import parts, unrooted
from synapse_bridge.contract.wire import Wrapped, element, slot


def field_type(field: Field, modules: Mapping[str, str]) -> str:
    """The type of a row, without the constraints that are its options."""
    table = _Table(modules)
    one = slot(field.type, field.default).element
    if isinstance(one, Wrapped) and one.inner == unrooted(field.type):
        return table.wrapped(field.type, bare=True)
    return table.plain(field.type, bare=True)


def element_type(type_: Type, modules: Mapping[str, str]) -> str:
    """The type of one value where there is no room for options, with its constraints."""
    return _Table(modules).element(type_)


def constraints(type_: Type) -> Iterator[tuple[str, str]]:
    """The constraints that are options of a row: those of its value if that is not ``nil``."""
    match type_:
        case Nullable(inner):
            yield from constraints(inner)
        case RootOf(inner=inner):
            yield from constraints(inner)
        case Custom(inner=inner, elixir=elixir):
            if not elixir:
                yield from constraints(inner)
        case Scalar() | ListOf() | SetOf() | MapOf():
            yield from _options(type_.constraints)
        case TupleOf() | MessageRef() | EnumRef() | UnionRef():
            pass


class _Table:
    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def plain(self, type_: Type, *, bare: bool = False) -> str:
        """A type as it is; ``bare`` leaves out the constraints of the value itself."""
        type_ = unrooted(type_)
        if isinstance(type_, Custom):
            carried = self.element(type_.inner, bare=bare and not type_.elixir)
            return f"{{:custom, {type_.elixir}, {carried}}}" if type_.elixir else carried
        template = row(type_).elixir_field
        match type_:
            case MessageRef(name) | EnumRef(name) | UnionRef(name):
                return template.format(name=self._modules[name])
            case TupleOf(items):
                return template.format(items=", ".join(map(self._item, items)))
            case Nullable(inner):
                return template.format(item=self.element(inner, bare=bare))
        source = template.format(**{n: self.element(part) for n, part in parts(type_).items()})
        if bare or isinstance(type_, RootOf):
            return source
        options = [f"{name}: {value}" for name, value in _options(type_.constraints)]
        return f"{{{source}, {', '.join(options)}}}" if options else source

    def wrapped(self, type_: Type, *, bare: bool = False) -> str:
        return ROWS["wrapped"].elixir_field.format(item=self.plain(type_, bare=bare))

    def element(self, type_: Type, *, bare: bool = False) -> str:
        """A type where there is no room for presence or repetition."""
        if isinstance(element(type_), Wrapped):
            return self.wrapped(type_, bare=bare)
        return self.plain(type_, bare=bare)

    def _item(self, type_: Type) -> str:
        """An item of a tuple, which is a field of a message."""
        return self.plain(type_)


def _options(constraints: Constraints) -> Iterator[tuple[str, str]]:
    for name, value in constraints.items():
        yield name, elixir_terms.scalar(value)


_SIGILS = {"datetime": "U", "naive_datetime": "N", "date": "D", "time": "T"}
_DURATIONS = pydantic.TypeAdapter(datetime.timedelta)
_MICROSECOND = datetime.timedelta(microseconds=1)


def default(type_: Type, value: JSONValue, contract: Contract) -> str:
    """A literal default as source."""
    match type_, value:
        case Nullable(inner), _:
            return "nil" if value is None else default(inner, value, contract)
        case EnumRef(name), str():
            members = {member.name: member for member in contract.enum(name).members}
            return members[value].elixir
        case RootOf(inner=inner), _:
            return default(inner, value, contract)
        case TupleOf(items), list():
            pairs = zip(items, value, strict=True)
            return f"{{{', '.join(default(item, one, contract) for item, one in pairs)}}}"
        case ListOf(item), list():
            return f"[{', '.join(default(item, one, contract) for one in value)}]"
        case SetOf(item), list():
            return f"[{', '.join(default(item, one, contract) for one in value)}]"
        case MapOf(key, inner), dict():
            entries = (
                f"{_key(key, name)} => {default(inner, one, contract)}"
                for name, one in value.items()
            )
            return f"%{{{', '.join(entries)}}}"
        case Scalar("double"), int() | float() | str():
            return elixir_terms.number(float(value))
        case Scalar("timedelta"), str():
            return elixir_terms.integer(_DURATIONS.validate_python(value) // _MICROSECOND)
        case Scalar(kind), str() if kind in _SIGILS:
            return f"~{_SIGILS[kind]}[{value.replace('T', ' ')}]"
        case Scalar("any"), None:
            return "nil"
        case Scalar("any"), list() | dict():
            return "[]" if value == [] else "%{}"
        case Scalar(), str() | int():
            return elixir_terms.scalar(value)
    raise ValueError(f"{value!r} is no literal default of {type_}")


def _key(key: Type, name: str) -> str:
    """A key of a map, which JSON has as a string."""
    key = unrooted(key)
    assert isinstance(key, Scalar), "only maps with keys that JSON has are literal"
    match key.kind:
        case "string":
            return elixir_terms.string(name)
        case "bool":
            return name
        case "int64" | "uint64":
            return elixir_terms.integer(int(name))
    raise ValueError(f"a map has no keys of kind {key.kind}")
