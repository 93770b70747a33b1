"""Whether constraints allow less than others did, or more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from synapse_bridge.contract.types import Constraints, Number

Change: TypeAlias = Literal["tightened", "loosened"]

_WHOLE = frozenset({"int64", "uint64", "bigint"})


def changes(old: Constraints, new: Constraints, kind: str) -> Iterator[tuple[Change, str]]:
    """Each change, with what it is, as ``ge: 0 → 1``. ``kind`` is the scalar's, else empty."""
    whole = kind in _WHOLE
    yield from _bound(_least(old, whole), _least(new, whole), _shown(old, new, "ge", "gt"), +1)
    yield from _bound(_most(old, whole), _most(new, whole), _shown(old, new, "le", "lt"), -1)
    yield from _bound(
        (old.min_length or 0, 0), (new.min_length or 0, 0), _shown(old, new, "min_length"), +1
    )
    longest = [None if c.max_length is None else (c.max_length, 0) for c in (old, new)]
    yield from _bound(longest[0], longest[1], _shown(old, new, "max_length"), -1)
    if old.multiple_of != new.multiple_of:
        yield _step(old.multiple_of, new.multiple_of), _shown(old, new, "multiple_of")
    finite = [_finite(c, kind) for c in (old, new)]
    if finite[0] != finite[1]:
        yield ("tightened" if finite[1] else "loosened"), _shown(old, new, "allow_inf_nan")
    if old.pattern != new.pattern:
        yield ("loosened" if new.pattern is None else "tightened"), _shown(old, new, "pattern")


def _finite(constraints: Constraints, kind: str) -> bool:
    """Whether NaN and the infinities are refused, as pydantic refuses them of a decimal."""
    return not (kind != "decimal" if (allow := constraints.allow_inf_nan) is None else allow)


_Bound: TypeAlias = "tuple[Number, int] | None"


def _bound(old: _Bound, new: _Bound, shown: str, direction: int) -> Iterator[tuple[Change, str]]:
    """``direction`` is +1 for a lower bound, whose growth tightens, and -1 for an upper one."""
    if old == new:
        return
    if old is None or new is None:
        yield ("tightened" if old is None else "loosened"), shown
        return
    grows = new > old if direction > 0 else new < old
    yield ("tightened" if grows else "loosened"), shown


def _least(constraints: Constraints, whole: bool) -> _Bound:
    """The lower bound: its value, and 1 where the value itself is excluded."""
    found: list[tuple[Number, int]] = []
    if constraints.ge is not None:
        found.append((constraints.ge, 0))
    if constraints.gt is not None:
        exact = whole and float(constraints.gt).is_integer()
        found.append((int(constraints.gt) + 1, 0) if exact else (constraints.gt, 1))
    return max(found, default=None)


def _most(constraints: Constraints, whole: bool) -> _Bound:
    """The upper bound: its value, and -1 where the value itself is excluded."""
    found: list[tuple[Number, int]] = []
    if constraints.le is not None:
        found.append((constraints.le, 0))
    if constraints.lt is not None:
        exact = whole and float(constraints.lt).is_integer()
        found.append((int(constraints.lt) - 1, 0) if exact else (constraints.lt, -1))
    return min(found, default=None)


def _step(old: Number | None, new: Number | None) -> Change:
    if new is None:
        return "loosened"
    return "loosened" if old is not None and new and old % new == 0 else "tightened"


def _shown(old: Constraints, new: Constraints, *names: str) -> str:
    return ", ".join(
        f"`{name}`: {_value(before)} → {_value(after)}"
        for name in names
        if (before := getattr(old, name)) != (after := getattr(new, name))
    )


def _value(value: object) -> str:
    return "none" if value is None else f"{value!r}"
