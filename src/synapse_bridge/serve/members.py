"""Unions: a value from the wire is the member that was sent, whatever else it would fit.

Left to itself, pydantic takes the member of a union that fits a value best, and so may take another
than was sent: an empty ``Dog`` for an empty ``Cat``. So converters mark a value with the place of
its member (:func:`sent`), and the validator of a request is made anew from its core schema with
every union obeying the marks (:func:`obedient`).

https://docs.pydantic.dev/latest/concepts/unions/ says how pydantic decides without marks.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from pydantic_core import CoreSchema, ValidationError
from pydantic_core import core_schema as cs

from synapse_bridge.hints import Path
from synapse_bridge.serve.alternatives import Alternatives
from synapse_bridge.serve.entries import Entries
from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.path import HIDDEN
from synapse_bridge.serve.unreadable import Unreadable
from synapse_bridge.signs import ANY_OF_THEM, OTHER, WHOLE, is_union, signs


class _Sent:
    """Mixed into the type of a value, so that validators before the union's see what they know."""

    sent: Any
    """The value as it was."""
    positions: tuple[Path | str, ...]
    """Where the annotation has the member; indices into nested unions, from the outside in. A text
    is the member's sign."""


def _marker(base: type) -> type:
    return type(f"Sent{base.__name__.capitalize()}", (_Sent, base), {})


_MARKERS: Mapping[type, Callable[[Any], Any]] = {
    base: _marker(base) for base in (dict, list, tuple, str, bytes, int, float, Entries)
}


def sent(value: Any, *positions: Path | str) -> Any:
    """The value, marked as the member of a union that stands at ``positions`` of its annotation.

    Where the order of the annotation is not to be relied on, it is the member with that
    :mod:`sign <synapse_bridge.signs>`.

    Values whose type alone tells the member (a boolean, a date, a member of an enum) get no mark.
    """
    plain = value.sent if isinstance(value, _Sent) else value
    base = type(plain)
    if base not in _MARKERS:
        return value
    marked = _MARKERS[base](plain.pairs if base is Entries else plain)
    marked.sent, marked.positions = value, positions
    return marked


def no_member() -> Unreadable:
    """Stands for a union of which no member was sent, or one that the server does not know."""
    return Unreadable("Union should have one of its members", "union_member_missing")


class Union:
    """The members of a union by their names in its message, with their annotations.

    A value goes to the wire as the member of its exact class; where that tells too little, as the
    first that takes it as it is, those of its class before others.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._names = tuple(members)
        self._annotations = tuple(members.values())
        self._kinds = Alternatives(self._annotations)
        self._checks: dict[int, Callable[[Any], Any]] = {}

    def member(self, value: Any) -> str:
        """The name of the member that a value is; it has been checked to be one."""
        only = self._kinds.only(value)
        if only is not None:
            return self._names[only]
        for index in self._kinds.order(value):
            if self._takes(index, value):
                return self._names[index]
        raise TypeError(f"{type(value).__qualname__} is no member of the union")

    def _takes(self, index: int, value: Any) -> bool:
        if index not in self._checks:
            self._checks[index] = checker(self._annotations[index]).check
        try:
            self._checks[index](value)
        except ValidationError:
            return False
        return True


def obedient(schema: CoreSchema) -> CoreSchema | None:
    """The schema with unions that obey the marks; ``None`` where it has none and is right as it is.

    What is for JSON becomes what it holds (``Json[T]``), and what is read lazily a list
    (``Iterable[T]``), because the wire has both as they are.
    """
    if not any(one["type"] in _Rewriter.CHANGED for one in _walk(schema)):
        return None
    return _Rewriter().whole(schema)


_NESTED = frozenset(
    {
        "schema",
        "items_schema",
        "keys_schema",
        "values_schema",
        "json_schema",
        "python_schema",
        "lax_schema",
        "strict_schema",
        "arguments_schema",
        "var_args_schema",
        "var_kwargs_schema",
        "extras_schema",
        "extras_keys_schema",
        "steps",
        "choices",
        "fields",
        "definitions",
    }
)
"""The keywords of core schemas that hold other schemas."""


def _walk(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all inside it."""
    todo = [schema]
    while todo:
        match todo.pop():
            case dict() as one:
                if isinstance(one.get("type"), str):
                    yield one
                    todo += (value for key, value in one.items() if key in _NESTED)
                else:
                    todo += one.values()
            case list() | tuple() as several:
                todo += several


class _Rewriter:
    CHANGED = frozenset({"union", "tagged-union", "json", "generator"})

    def __init__(self) -> None:
        self._known: dict[str, CoreSchema] = {}
        self._shared: dict[str, CoreSchema] = {}

    def whole(self, schema: CoreSchema) -> CoreSchema:
        known: list[Any] = []
        inner: Any = schema
        if inner["type"] == "definitions":
            inner, known = inner["schema"], inner["definitions"]
        self._known = {one["ref"]: one for one in known}
        made = self._of(inner)
        defined = [self._of(one) for one in known]
        return cs.definitions_schema(made, [*defined, *self._shared.values()])

    def _of(self, schema: Any) -> Any:
        match schema["type"]:
            case "union" | "tagged-union":
                return self._union(schema)
            case "json":
                return self._of(schema["schema"]) if "schema" in schema else cs.any_schema()
            case "generator":
                return self._list(schema)
        return {
            key: self._value(value) if key in _NESTED else value for key, value in schema.items()
        }

    def _value(self, value: Any) -> Any:
        match value:
            case {"type": str()}:
                return self._of(value)
            case dict():
                return {key: self._value(one) for key, one in value.items()}
            case list():
                return [self._value(one) for one in value]
            case (dict() as one, label):
                return self._value(one), label
            case _:
                return value

    def _list(self, schema: Any) -> CoreSchema:
        items = self._of(schema["items_schema"]) if "items_schema" in schema else None
        lengths = {key: schema[key] for key in ("min_length", "max_length") if key in schema}
        return cs.list_schema(items, **lengths)

    def _union(self, schema: Any) -> CoreSchema:
        """One choice for each member; the last one is the union as it was, for what has no mark."""
        ref = schema.get("ref")
        by_index: list[CoreSchema] = []
        written: list[Any] = []
        if schema["type"] == "union":
            own: Any = []
            for choice in schema["choices"]:
                one, *label = choice if isinstance(choice, tuple) else (choice,)
                written.append(one)
                by_index.append(self._share(self._of(one)))
                own.append((by_index[-1], *label) if label else by_index[-1])
        else:
            own = {}
            for tag, choice in schema["choices"].items():
                shared = self._share(self._of(choice))
                own[tag] = shared
                if shared not in by_index:
                    written.append(choice)
                    by_index.append(shared)
        unmarked = {key: value for key, value in schema.items() if key != "ref"} | {"choices": own}
        nested = [is_union(one, self._known) for one in written]
        choices: dict[str, CoreSchema] = {
            f"{HIDDEN}{index}": cs.no_info_before_validator_function(_inside(nested[index]), one)
            for index, one in enumerate(by_index)
        }
        choices[HIDDEN] = cs.no_info_before_validator_function(_as_sent, cast(CoreSchema, unmarked))
        told = [signs(one, self._known) for one in written]
        return cs.tagged_union_schema(choices, _chooser(by_index, told), ref=ref)

    def _share(self, schema: Any) -> CoreSchema:
        """The schema, or a reference to it where it is of any size, as it stands in two places."""
        if schema["type"] == "definition-ref" or not _NESTED & schema.keys():
            return cast(CoreSchema, schema)
        ref = schema.get("ref") or f"synapse_bridge:{len(self._shared)}"
        if ref not in self._known:
            self._shared[ref] = {**schema, "ref": ref}
        return cs.definition_reference_schema(ref)


def _inside(is_nested: bool) -> Callable[[Any], Any]:
    """A marked value as the chosen member gets it: with ``is_nested``, that is another union."""

    def inside(value: Any) -> Any:
        if not isinstance(value, _Sent):
            return value
        if not is_nested:
            return value.sent
        rest = tuple(one for path in value.positions if (one := _within(path)))
        return sent(value.sent, *rest) if rest else value.sent

    return inside


def _within(path: Path | str) -> Path | str:
    """What of a place is left for the union inside the chosen member."""
    if isinstance(path, str):
        return "" if path.startswith(WHOLE) else path
    return path[1:]


def _as_sent(value: Any) -> Any:
    return value.sent if isinstance(value, _Sent) else value


def _chooser(choices: list[CoreSchema], told: list[frozenset[str]]) -> Callable[[Any], str]:
    """What names the choice for a value: by its mark, else by its type, else the whole union.

    A member that stands at several positions is left to the union, which knows it by its type.
    ``told`` are the signs of the choices.
    """
    by_type: dict[type, str] = {}
    for index, one in enumerate(choices):
        for kind in _kinds(one):
            by_type[kind] = HIDDEN if kind in by_type else f"{HIDDEN}{index}"

    def by_sign(sign: str) -> str:
        if sign == ANY_OF_THEM:
            return HIDDEN
        found = [index for index, those in enumerate(told) if sign in those]
        found = found or [index for index, those in enumerate(told) if OTHER in those]
        if len(found) != 1:
            raise TypeError(f"no alternative of a union, or more than one, is `{sign}`")
        return f"{HIDDEN}{found[0]}"

    signed = cache(by_sign)

    def choose(value: Any) -> str:
        if isinstance(value, _Sent):
            first, *others = {one if isinstance(one, str) else one[0] for one in value.positions}
            if isinstance(first, str):
                return signed(first.removeprefix(WHOLE))
            return HIDDEN if others else f"{HIDDEN}{first}"
        return by_type.get(type(value), HIDDEN)

    return choose


def _kinds(schema: Any) -> Iterator[type]:
    """The types that only values of this schema have, among those that get no mark."""
    match schema:
        case {"type": "enum", "cls": cls}:
            yield cls
        case {"type": "literal", "expected": expected}:
            yield from {type(value) for value in expected} - _MARKERS.keys()
        case {"type": kind} if kind in _UNMARKED:
            yield _UNMARKED[kind]


_UNMARKED: Mapping[str, type] = {
    "bool": bool,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
}
