"""Which alternative of a union a value is of, as far as its class tells."""

from __future__ import annotations

import collections
import datetime
import enum
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic
from typing_inspection import typing_objects

from synapse_bridge import hints


class Alternatives:
    """The alternatives of a union, by the classes of their values."""

    def __init__(self, annotations: Sequence[Any]) -> None:
        self._by_class: dict[type, list[int]] = {}
        self._whole: set[int] = set()
        self._open: set[int] = set()
        self._all = range(len(annotations))
        for index, annotation in enumerate(annotations):
            peeled, _ = hints.peel(annotation)
            for cls in _classes(peeled):
                self._by_class.setdefault(cls, []).append(index)
            if _is_whole(peeled):
                self._whole.add(index)
            if _is_open(peeled):
                self._open.add(index)

    def only(self, value: Any) -> int | None:
        """The alternative that alone may take the value, to judge by its exact class."""
        match self._by_class.get(type(value)):
            case [index] if index in self._whole:
                return index
            case [index] if not self._open - {index} and not self._has_base_of(type(value)):
                return index
            case _:
                return None

    def _has_base_of(self, cls: type) -> bool:
        """Whether a class has a base, or passes for another, that an alternative is for."""
        bases = (float,) if cls is int else cls.__mro__[1:]
        return any(base in self._by_class for base in bases)

    def order(self, value: Any) -> list[int]:
        """All alternatives, those for values of exactly this class first."""
        first = self._by_class.get(type(value), [])
        return [*first, *(index for index in self._all if index not in first)]


def _classes(annotation: Any) -> Iterator[type]:
    """The classes that the values of an annotation usually are of."""
    match hints.container(annotation):
        case hints.ListHint(kind) | hints.SetHint(kind) | hints.MapHint(kind):
            yield from _CONTAINERS[kind]
            return
        case hints.TupleHint():
            yield tuple
            return
    if typing_objects.is_literal(typing.get_origin(annotation)):
        yield from {type(value) for value in hints.literal_values(annotation)}
        return
    cls = hints.class_of(annotation)
    if annotation in _INSTEAD:
        yield _INSTEAD[annotation]
    elif hints.is_typed_dict(cls):
        yield dict
    elif cls is not None:
        yield cls


def _is_whole(annotation: Any) -> bool:
    """Whether it takes any value of its class; where it does not, another alternative may."""
    if annotation in _SCALARS:
        return True
    cls = hints.class_of(annotation)
    if cls is None or hints.is_typed_dict(cls) or hints.container(annotation) is not None:
        return False
    return issubclass(cls, (enum.Enum, pydantic.BaseModel)) or hasattr(cls, "__dataclass_fields__")


def _is_open(annotation: Any) -> bool:
    """Whether its values may be of classes that it does not name."""
    match hints.container(annotation):
        case hints.ListHint(kind) | hints.SetHint(kind) | hints.MapHint(kind):
            return kind in ("Sequence", "Iterable", "Set", "Mapping")
    return not any(_classes(annotation)) or annotation in (Any, object)


_CONTAINERS: Mapping[str, tuple[type, ...]] = {
    "list": (list,),
    "tuple": (tuple,),
    "deque": (collections.deque,),
    "Sequence": (list, tuple, collections.deque),
    "Iterable": (list, tuple, collections.deque),
    "set": (set,),
    "frozenset": (frozenset,),
    "Set": (set, frozenset),
    "dict": (dict,),
    "Mapping": (dict,),
    "defaultdict": (collections.defaultdict,),
    "OrderedDict": (collections.OrderedDict,),
    "Counter": (collections.Counter,),
}
_SCALARS = (bool, int, float, str, bytes, bytearray)
_INSTEAD: Mapping[Any, type] = {
    pydantic.AwareDatetime: datetime.datetime,
    pydantic.NaiveDatetime: datetime.datetime,
    pydantic.PastDatetime: datetime.datetime,
    pydantic.FutureDatetime: datetime.datetime,
    pydantic.PastDate: datetime.date,
    pydantic.FutureDate: datetime.date,
    pydantic.EmailStr: str,
}
"""Annotations whose values are of another class."""
