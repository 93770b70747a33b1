"""A quick look at a value, for whether it is what values of its annotation mostly are.

The check of :mod:`.exact` says what is wrong with a result, and where. Most have nothing wrong, and
are of the very types that are asked for. To see that takes a third of the time in Python of its own
kind: one function for each class, which compares the types of what an instance holds. Such
functions are written here, from the schema of the check.

A type says nothing of an integer's size, nor of lone surrogates in a text. Both are left to
protobuf, which refuses to hold what is beyond 64 bits or no Unicode.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator

from synapse_bridge.serve.exact_scalars import EXACT

IN_DICT = "synapse_bridge.in_dict"
"""In the metadata of a class's schema: its instances hold their fields in their ``__dict__``."""
LOOKS = "synapse_bridge.looks"
"""In the metadata of a function's schema: it calls the inner schema, and only looks itself."""


def fits(schema: CoreSchema) -> Callable[[Any], bool]:
    """The quick look for the values of a check's schema.

    It gives ``True`` where the check passes or protobuf refuses the value; else ``False``, or it
    raises. Where there is no quick one it is :func:`never`: for values that nest without limit, and
    for classes whose instances have to be read in another way.
    """
    writer = _Writer()
    try:
        return writer.made(writer.root(schema))
    except _NoneSuch:
        return never


def never(value: Any) -> bool:
    """Says of no value that it fits."""
    return False


class _NoneSuch(Exception):
    """There is no quick look at values of a schema."""


class _Writer:
    """Writes functions for schemas. What they refer to besides is in ``names``."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: dict[str, Any] = {"count": operator.countOf}
        self._definitions: dict[str, Any] = {}
        self._functions: dict[str, str] = {}
        self._parts: dict[int, str] = {}
        self._open: list[str] = []
        self._count = 0

    def made(self, name: str) -> Callable[[Any], bool]:
        """The function of that name."""
        exec("\n".join(self._lines), self._names)  # as dataclasses make theirs
        made: Callable[[Any], bool] = self._names[name]
        return made

    def root(self, schema: Any) -> str:
        """The name of a function for a schema, with all that it refers to."""
        if schema["type"] == "definitions":
            self._definitions = {one["ref"]: one for one in schema["definitions"]}
            schema = schema["schema"]
        return self._function(schema)

    def _function(self, schema: Any) -> str:
        if schema["type"] == "definition-ref":
            return self._definition(schema["schema_ref"])
        cls = schema.get("metadata", {}).get(IN_DICT)
        lines = [f" return {self._look(schema, 'x')}"] if cls is None else self._class(cls, schema)
        name = self._name("look")
        self._lines += [f"def {name}(x):", *lines]
        return name

    def _class(self, cls: type, schema: Any) -> list[str]:
        fields = schema["schema"]["fields"].items()
        looks = [self._look(field["schema"], f"held[{name!r}]") for name, field in fields]
        return [
            f" if type(x) is not {self._name('cls', cls)}: return False",
            " held = x.__dict__",
            f" return {' and '.join(looks) or True}",
        ]

    def _look(self, schema: Any, x: str) -> str:
        """An expression for whether the value of the expression ``x`` fits."""
        match schema:
            case {"type": "definition-ref", "schema_ref": ref}:
                return f"{self._definition(ref)}({x})"
            case {"type": "nullable", "schema": inner}:
                name = self._name("value")
                return f"(({name} := {x}) is None or {self._look(inner, name)})"
            case {"type": "list", "strict": True, "items_schema": item, **more} if not more:
                name = self._name("items")
                return f"(type({name} := {x}) is list and {self._each(item, name)})"
            case {"type": "dict", "strict": True, **more} if more.keys() <= _OF_DICT:
                name = self._name("items")
                keys = self._each(schema["keys_schema"], name)
                values = self._each(schema["values_schema"], f"{name}.values()")
                return f"(type({name} := {x}) is dict and {keys} and {values})"
            case {"type": "function-wrap", "metadata": {"synapse_bridge.looks": True}}:
                return self._look(schema["schema"], x)
            case {"type": "chain", "steps": [one]}:
                return self._look(one, x)
        kind, part = _exact_type(schema), self._part(schema)
        return (
            f"{part}({x})" if kind is None else f"(type({x}) is {self._kind(kind)} or {part}({x}))"
        )

    def _each(self, schema: Any, items: str) -> str:
        kind = _exact_type(schema)
        if kind is None:
            return f"all(map({self._function(schema)}, {items}))"
        alike = f"count(map(type, {items}), {self._kind(kind)}) == len({items})"
        return f"({alike} or all(map({self._part(schema)}, {items})))"

    def _definition(self, ref: str) -> str:
        if ref in self._open:
            raise _NoneSuch
        if ref not in self._functions:
            self._open.append(ref)
            self._functions[ref] = self._function(self._definitions[ref])
            self._open.pop()
        return self._functions[ref]

    def _part(self, schema: Any) -> str:
        """What looks at a part as the check does."""
        if id(schema) not in self._parts:
            if any(one.get("type") == "definition-ref" for one in _walk(schema)):
                raise _NoneSuch
            part = SchemaValidator(schema).isinstance_python
            self._parts[id(schema)] = self._name("part", part)
        return self._parts[id(schema)]

    def _kind(self, kind: type) -> str:
        return kind.__name__ if kind in _BUILT_IN else self._name("cls", kind)

    def _name(self, stem: str, value: Any = None) -> str:
        self._count += 1
        name = f"{stem}_{self._count}"
        if value is not None:
            self._names[name] = value
        return name


_OF_DICT = {"keys_schema", "values_schema"}
_BUILT_IN = frozenset({bool, int, float, str, bytes})


def _exact_type(schema: Any) -> type | None:
    """The type of which every value passes a check, or is refused by protobuf."""
    match schema:
        case {"type": "enum", "cls": type() as cls, "strict": True}:
            return cls
    return next((kind for one, kind in EXACT if one == schema), None)


def _walk(schema: Any) -> Iterator[Mapping[str, Any]]:
    """All dicts in a schema."""
    match schema:
        case dict():
            yield schema
            for value in schema.values():
                yield from _walk(value)
        case list() | tuple():
            for value in schema:
                yield from _walk(value)
