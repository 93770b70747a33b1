"""What generated converters make of values from the wire where a dict or list would say too little.

Sets and maps are looked at before Python makes them, because it would keep one of two equal items
in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synapse_bridge.serve.entries import Entries
from synapse_bridge.serve.unreadable import Unreadable


def missing() -> Unreadable:
    """Stands for an item of a tuple that was not sent."""
    return Unreadable("Field required", "missing")


def unique(items: Any) -> Any:
    """The items of a set as they are, or :class:`Unreadable` where two are equal."""
    return Unreadable("Set should have no item twice") if _repeats(items) else items


def entries(pairs: list[tuple[Any, Any]]) -> Any:
    """The entries of a map with keys of any type, or :class:`Unreadable` where two have one key."""
    if _repeats(key for key, _ in pairs):
        return Unreadable("Map should have no key twice")
    return Entries(pairs)


def with_extra(value: dict[str, Any], extra: Any, fields: tuple[str, ...]) -> Any:
    """The fields and what a model holds besides, or :class:`Unreadable` where the two meet."""
    for name in fields:
        if name in extra:
            return Unreadable(f"`{name}` is a field, and so cannot be extra, too")
    return {**extra, **value}


def _repeats(items: Iterable[Any]) -> bool:
    seen = set()
    for item in items:
        key = _identity(item)
        if key in seen:
            return True
        seen.add(key)
    return False


def _identity(item: Any) -> Any:
    """What is equal for equal values, and only for those; models come as dicts."""
    try:
        hash(item)
    except TypeError:
        return repr(item)
    # In a set 1 is True and 1.0, on the wire they are different.
    return type(item), item
