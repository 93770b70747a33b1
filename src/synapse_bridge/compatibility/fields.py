"""Changes of a message's fields: their presence, names, defaults and shapes."""

from __future__ import annotations

from collections.abc import Iterator

from synapse_bridge.compatibility.findings import Finding
from synapse_bridge.compatibility.pairs import Role, gone, pair, restored
from synapse_bridge.compatibility.types import TypeChanges, same_kind, text
from synapse_bridge.contract.model import (
    Default,
    Dynamic,
    Field,
    Literally,
    Message,
    Required,
    Streamed,
)
from synapse_bridge.contract.types import ListOf, MapOf, Nullable, SetOf, Type, unrooted
from synapse_bridge.contract.wire import Slot, Wrapped, slot


class FieldChanges:
    """Compares the fields of messages."""

    def __init__(self, types: TypeChanges) -> None:
        self._types = types

    def message(self, old: Message, new: Message, role: Role) -> Iterator[Finding]:
        """The changes of a message that clients send (``taken``), or the server (``given``)."""
        before, after = _fields(old), _fields(new)
        owner = new.name.partition("#")[0]
        yield from restored(owner, old.reserved, new.reserved, {field.name for field in after})
        for one, other in pair(before, after):
            if other is None and one is not None:
                if not (one.computed and role == "taken"):
                    yield from gone("FIELD_NO_DELETE", owner, _word(new), one, new.reserved)
            elif one is None and other is not None:
                yield from _added(other, f"{owner}.{other.name}", role)
            elif one is not None and other is not None:
                where = _where(new, owner, other)
                yield from self._field(one, other, where, role)
                if new.role == "typed_dict" and role == "given":
                    yield from _may_be_absent(one, other, where)

    def _field(self, old: Field, new: Field, where: str, role: Role) -> Iterator[Finding]:
        if role == "taken" and (old.computed or new.computed):
            yield from _computed(old, new, where)
            return
        if old.number != new.number:
            yield Finding("FIELD_SAME_NUMBER", where, f"{old.number} became {new.number}")
        if old.name != new.name:
            yield Finding("FIELD_SAME_NAME", where, f"`{old.name}` became `{new.name}`")
        one, other = _given(old.type), _given(new.type)
        if not same_kind(one, other):
            what = f"`{text(old.type)}` became `{text(new.type)}`"
            yield Finding("FIELD_SAME_TYPE", where, what)
            return
        shapes = slot(old.type, old.default), slot(new.type, new.default)
        yield from self._types.compare(one, other, where, role)
        if _skeleton(shapes[0]) != _skeleton(shapes[1]):
            what = f"{_shown(old)} became {_shown(new)}"
            yield Finding("FIELD_SAME_CARDINALITY", where, what)
            return
        yield from _none(old, new, where, role)
        if role == "taken":
            defaults = self._types.defaults(old, new)
            yield from _default(old, new, defaults, where)
        elif Required() not in (old.default, new.default) and old.default != new.default:
            what = f"{_value(old.default)} became {_value(new.default)}"
            yield Finding("RESULT_DEFAULT_CHANGED", where, what)


def _fields(message: Message) -> tuple[Field, ...]:
    return (*message.fields, message.extra) if message.extra else message.fields


def _word(message: Message) -> str:
    return "parameter" if message.role == "request" else "field"


def _where(message: Message, owner: str, field: Field) -> str:
    return owner if message.role == "response" else f"{owner}.{field.name}"


def _given(type_: Type) -> Type:
    """The type of a value that is not None."""
    plain = unrooted(type_)
    return unrooted(plain.inner) if isinstance(plain, Nullable) else plain


def _skeleton(shape: Slot) -> tuple[str, str]:
    """What tells None, absent and empty apart: the label, and the wrapper."""
    element = shape.element
    return shape.label, type(element.inner).__name__ if isinstance(element, Wrapped) else ""


def _added(field: Field, where: str, role: Role) -> Iterator[Finding]:
    if role == "given" or field.computed or not isinstance(field.default, Required):
        yield Finding("FIELD_ADDED", where, f"{_shown(field)} is new")
    elif _absent_is_missing(field):
        yield Finding("FIELD_ADDED_REQUIRED", where, f"{_shown(field)} is new")
    else:
        yield Finding("FIELD_KEY_MADE_REQUIRED", where, f"{_shown(field)} is new")


def _absent_is_missing(field: Field) -> bool:
    """Whether a required field that is absent is refused; None and empty may be absent."""
    match unrooted(field.type):
        case ListOf() | SetOf() | MapOf() as container:
            return bool(container.constraints.min_length)
        case other:
            return not isinstance(other, Nullable)


def _computed(old: Field, new: Field, where: str) -> Iterator[Finding]:
    """A field that only the server fills in is not taken."""
    if old.computed and not new.computed:
        yield from _added(new, where, "taken")
    elif new.computed and not old.computed:
        what = "it is computed now: what clients send is dropped"
        yield Finding("FIELD_NO_DELETE", where, what)


def _may_be_absent(old: Field, new: Field, where: str) -> Iterator[Finding]:
    """The key of a typed dict that is not required may be left out of a result."""
    if isinstance(old.default, Required) and not isinstance(new.default, Required):
        yield Finding("RESULT_MADE_OPTIONAL", where, "the key may be absent")


def _none(old: Field, new: Field, where: str, role: Role) -> Iterator[Finding]:
    before, after = (isinstance(unrooted(one.type), Nullable) for one in (old, new))
    if before == after:
        return
    what = f"`{text(old.type)}` became `{text(new.type)}`"
    if after:
        rule = "FIELD_MADE_NULLABLE" if role == "taken" else "RESULT_MADE_OPTIONAL"
    else:
        rule = "FIELD_NOT_NULLABLE" if role == "taken" else "RESULT_NEVER_NONE"
    yield Finding(rule, where, what)


def _default(
    old: Field, new: Field, defaults: tuple[Default, Default], where: str
) -> Iterator[Finding]:
    before, after = defaults
    what = f"{_shown(old)} became {_shown(new)}"
    match before, after:
        case (Streamed(), _) | (_, Streamed()) | (Required(), Required()) | (Dynamic(), Dynamic()):
            return
        case Required(), _:
            yield Finding("FIELD_MADE_OPTIONAL", where, what)
        case _, Required():
            yield Finding(_made_required(before, new), where, what)
        case _ if before != after:
            yield Finding("FIELD_SAME_DEFAULT", where, what)


def _made_required(before: Default, new: Field) -> str:
    """Absent is refused now; or it is None or empty, as it was before or not."""
    if _absent_is_missing(new):
        return "FIELD_MADE_REQUIRED"
    same = isinstance(before, Literally) and before.value in (None, [], {})
    return "FIELD_KEY_MADE_REQUIRED" if same else "FIELD_SAME_DEFAULT"


def _shown(field: Field) -> str:
    """``total: int = 0``, as a person would write it."""
    default = "" if isinstance(field.default, Required) else f" = {_value(field.default)}"
    return f"`{field.name}: {text(field.type)}{default}`"


def _value(default: Default) -> str:
    match default:
        case Literally(value):
            return repr(value)
        case Streamed():
            return "(a stream)"
        case _:
            return "…"
