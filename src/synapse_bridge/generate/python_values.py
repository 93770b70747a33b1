"""Expressions of a generated Python server that convert values: from the wire, and to it.

Reading follows the shape on the wire, writing the type: only Python has RootModels. Both come from
the registry's templates, and only containers are written out as comprehensions and displays.
"""

from __future__ import annotations

from collections.abc import Callable

from synapse_bridge.contract import (
    Custom,
    EnumRef,
    Field,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Ref,
    Required,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)
from synapse_bridge.contract.registry import row
from synapse_bridge.contract.types import unrooted
from synapse_bridge.contract.wire import Element, Entry, Slot, Wrapped, element, inside, slot
from synapse_bridge.generate.layout import Doc, concat, join
from synapse_bridge.generate.python_layout import (
    bracketed,
    call,
    choice,
    comprehension,
    display,
    sequence,
)


class Values:
    """Converts values; ``name`` is what the converters of a message, enum or union are called."""

    def __init__(self, name: Callable[[Ref | Custom], str]) -> None:
        self._name = name

    # From the wire

    def read(self, shape: Slot, x: str, depth: int = 0) -> Doc:
        """What stands at ``x``, which is there."""
        one = shape.element
        item, key = _variables(depth)
        match shape.label:
            case "optional":
                return self._read_element(one, x, depth)
            case "repeated" if isinstance(one, Entry):
                return call("serve.entries", self._read_entries(one, x, depth))
            case "repeated":
                read: Doc = f"{x}[:]"
                if not _is_as_read(one):
                    made = self._read_element(one, item, depth + 1)
                    read = comprehension("[", made, item, x, "]")
                return call("serve.unique", read) if shape.unique else read
            case "map":
                if _is_as_read(one):
                    return call("dict", x)
                read = concat(f"{key}: ", self._read_element(one, item, depth + 1))
                return comprehension("{", read, f"{key}, {item}", f"{x}.items()", "}")

    def _read_element(self, one: Element, x: str, depth: int) -> Doc:
        match one:
            case Wrapped():
                ((name, shape),) = inside(one)
                read = self.read(shape, f"{x}.{name}", depth)
                if shape.label == "optional":
                    return choice(read, f'{x}.HasField("{name}")', "None")
                return read
            case TupleOf(items):
                fields = zip(items, inside(one), strict=True)
                return sequence([self._read_item(type_, *at, x, depth) for type_, at in fields])
            case Custom(inner=inner):
                read = self._read_element(element(inner), x, depth)
                return call(f"{self._name(one)}.from_wire", read)
            case Scalar() | MessageRef() | EnumRef() | UnionRef():
                return self.convert(one, "from_wire", x)
            case Entry():
                raise AssertionError("an entry is part of a map")

    def _read_item(self, type_: Type, name: str, shape: Slot, x: str, depth: int) -> Doc:
        read = self.read(shape, f"{x}.{name}", depth)
        if shape.label != "optional":
            return read
        absent = "None" if isinstance(unrooted(type_), Nullable) else "serve.missing()"
        return choice(read, f'{x}.HasField("{name}")', absent)

    def _read_entries(self, one: Entry, x: str, depth: int) -> Doc:
        item, _ = _variables(depth)
        pair = [
            # A wrapper that was not sent reads as what is in an empty one: None, or nothing.
            self.read(shape, f"{item}.{name}", depth + 1)
            if isinstance(shape.element, Wrapped)
            else self._read_item(type_, name, shape, item, depth + 1)
            for type_, (name, shape) in zip((one.map.key, one.map.value), inside(one), strict=True)
        ]
        return comprehension("[", sequence(pair), item, x, "]")

    # To the wire

    def write_field(self, field: Field, x: str) -> Doc:
        """What the field of a message is set to; ``None`` leaves it unset."""
        return self._write_slot(field.type, slot(field.type, field.default), x, 0)

    def _write_slot(self, type_: Type, shape: Slot, x: str, depth: int) -> Doc:
        one = shape.element
        if isinstance(one, Wrapped) and one.inner == unrooted(type_):
            return self.write_element(type_, x, depth)
        return self.write(type_, x, depth)

    def write(self, type_: Type, x: str, depth: int) -> Doc:
        """The value ``x`` where it needs no wrapper."""
        item, key = _variables(depth)
        match type_:
            case RootOf(inner=inner):
                return self.write(inner, row(type_).to_wire.format(x=x), depth)
            case Nullable(inner) | ListOf(inner) | SetOf(inner) if _is_as_written(inner):
                return x
            case Nullable(inner):
                return choice("None", f"{x} is None", self.write_element(inner, x, depth))
            case ListOf(inner) | SetOf(inner):
                return comprehension("[", self.write_element(inner, item, depth + 1), item, x, "]")
            case MapOf(outer, inner):
                is_map = slot(type_, Required()).label == "map"
                if is_map and _is_as_written(outer) and _is_as_written(inner):
                    return x
                each = f"{key}, {item}", f"{x}.items()"
                written = [self.write_element(outer, key, depth + 1)]
                written.append(self.write_element(inner, item, depth + 1))
                if is_map:
                    return comprehension("{", join(written, ": "), *each, "}")
                names = ('"key": ', '"value": ')
                pair = [concat(*both) for both in zip(names, written, strict=True)]
                return comprehension("[", display("{", pair, "}"), *each, "]")
            case TupleOf() | Custom():
                return self.write_element(type_, x, depth)
            case Scalar() | MessageRef() | EnumRef() | UnionRef():
                return self.convert(type_, "to_wire", x)

    def write_element(self, type_: Type, x: str, depth: int) -> Doc:
        """One value where there is no room for presence or repetition."""
        if isinstance(type_, RootOf):
            return self.write_element(type_.inner, row(type_).to_wire.format(x=x), depth)
        match one := element(type_):
            case Custom(inner=inner):
                return self.write_element(inner, f"{self._name(one)}.to_wire({x})", depth)
            case Wrapped():
                ((name, _),) = inside(one)
                return display("{", [concat(f'"{name}": ', self.write(type_, x, depth))], "}")
            case TupleOf(items):
                fields = zip(items, inside(one), strict=True)
                entries = [
                    concat(f'"{name}": ', self._write_slot(item, shape, f"{x}[{index}]", depth))
                    for index, (item, (name, shape)) in enumerate(fields)
                ]
                return display("{", entries, "}")
            case Scalar() | MessageRef() | EnumRef() | UnionRef():
                return self.convert(one, "to_wire", x)
            case Entry():
                raise AssertionError("an entry is part of a map")

    def convert(self, one: Scalar | Ref, column: str, x: str) -> Doc:
        """``x`` as the registry converts it."""
        template: str = getattr(row(one), column)
        if template == "{x}":
            return x
        name = "" if isinstance(one, Scalar) else self._name(one)
        opening, closing = template.format(name=name, x="\0").split("\0")
        return bracketed(opening, x, closing)


def _is_as_read(one: Element) -> bool:
    """Whether what protobuf gives is what pydantic takes."""
    return isinstance(one, Scalar) and row(one).from_wire == "{x}"


def _is_as_written(type_: Type) -> bool:
    """Whether what Python holds is what protobuf takes."""
    return isinstance(type_, Scalar) and row(type_).to_wire == "{x}"


def _variables(depth: int) -> tuple[str, str]:
    """Names for an item and its key inside so many comprehensions."""
    if depth == 0:
        return "item", "key"
    suffix = "" if depth == 1 else f"_{depth}"
    return f"inner{suffix}", f"inner_key{suffix}"
