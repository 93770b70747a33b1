"""Changes of types, and of the enums, unions and messages that they name."""

from __future__ import annotations

from collections.abc import Iterator

from synapse_bridge.compatibility.constraints import changes
from synapse_bridge.compatibility.findings import Finding
from synapse_bridge.compatibility.pairs import Role, gone, pair, restored
from synapse_bridge.contract.model import (
    Contract,
    Default,
    Enum,
    Field,
    JSONValue,
    Literally,
    Union,
)
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import (
    NONE,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    Scalar,
    SetOf,
    Type,
    UnionRef,
    parts,
    unrooted,
)


def text(type_: Type) -> str:
    """The annotation, with short names."""
    return fill(type_, "python", lambda one: one.name.rpartition(".")[2])


class TypeChanges:
    """Compares types, and notes what they lead to, each pair of it once.

    ``messages`` are pairs that were reached and not yet compared.
    """

    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new
        self.messages: list[tuple[str, str, Role]] = []
        self._seen: set[tuple[str, str, Role]] = set()

    def reach(self, old: str, new: str, role: Role) -> bool:
        """Note a pair of messages, enums or unions; true the first time."""
        if (old, new, role) in self._seen:
            return False
        self._seen.add((old, new, role))
        return True

    def reach_message(self, old: str, new: str, role: Role) -> None:
        """Note a pair of messages, to be compared later."""
        if self.reach(old, new, role):
            self.messages.append((old, new, role))

    def defaults(self, old: Field, new: Field) -> tuple[Default, Default]:
        """The defaults of a field, in which enum values are numbers, whatever their names are."""
        return _numbered(old, self.old), _numbered(new, self.new)

    def compare(self, old: Type, new: Type, where: str, role: Role) -> Iterator[Finding]:
        """The changes of a value's type."""
        if not same_kind(old, new):
            what = f"`{text(old)}` became `{text(new)}`"
            if text(old) == text(new):
                what = f"`{text(old)}` became another type of that name"
            yield Finding("FIELD_SAME_TYPE", where, what)
            return
        yield from self._inside(unrooted(old), unrooted(new), where, role)

    def _inside(self, old: Type, new: Type, where: str, role: Role) -> Iterator[Finding]:
        yield from _constraints(old, new, where, role)
        match old, new:
            case MessageRef(before), MessageRef(after):
                self.reach_message(before, after, role)
            case EnumRef(before), EnumRef(after) if self.reach(before, after, role):
                yield from _enum(self.old.enum(before), self.new.enum(after), role)
            case UnionRef(before), UnionRef(after) if self.reach(before, after, role):
                yield from self._union(self.old.union(before), self.new.union(after), role)
        for one, other in zip(parts(old).values(), parts(new).values(), strict=True):
            yield from self._inside(unrooted(one), unrooted(other), where, role)

    def _union(self, old: Union, new: Union, role: Role) -> Iterator[Finding]:
        yield from restored(new.name, old.reserved, new.reserved, {m.name for m in new.members})
        for before, after in pair(old.members, new.members):
            if after is None and before is not None:
                rule = "UNION_MEMBER_NO_DELETE" if role == "taken" else _RESULT_MEMBER
                yield from gone(rule, new.name, "member", before, new.reserved)
            elif before is None and after is not None:
                rule = "UNION_MEMBER_ADDED" if role == "taken" else "RESULT_UNION_MEMBER_ADDED"
                yield Finding(rule, new.name, f"member `{after.name}` is new")
            elif before is not None and after is not None:
                where = f"{new.name}.{after.name}"
                if before.number != after.number:
                    what = f"{before.number} became {after.number}"
                    yield Finding("UNION_MEMBER_SAME_NUMBER", where, what)
                elif before.elixir != after.elixir:
                    what = f"`:{before.elixir}` became `:{after.elixir}`"
                    yield Finding("UNION_MEMBER_SAME_TAG", where, what)
                yield from self.compare(before.type, after.type, where, role)


def _numbered(field: Field, contract: Contract) -> Default:
    if not isinstance(field.default, Literally):
        return field.default
    return Literally(_numbers(field.type, field.default.value, contract))


def _numbers(type_: Type, value: JSONValue, contract: Contract) -> JSONValue:
    match unrooted(type_), value:
        case EnumRef(name), str():
            return next(m.number for m in contract.enum(name).members if m.name == value)
        case Nullable(inner), _ if value is not None:
            return _numbers(inner, value, contract)
        case ((ListOf(inner) | SetOf(inner)), list()):
            return [_numbers(inner, one, contract) for one in value]
        case MapOf(value=inner), dict():
            return {key: _numbers(inner, one, contract) for key, one in value.items()}
        case _:
            return value


_RESULT_MEMBER = "RESULT_UNION_MEMBER_NO_DELETE"


def same_kind(old: Type, new: Type) -> bool:
    """Whether two types are one but for constraints, for the spelling of a container, and for what
    the classes that they name hold."""
    old, new = unrooted(old), unrooted(new)
    match old, new:
        case Scalar(one), Scalar(other):
            return one == other
        case (MessageRef(), MessageRef()) | (EnumRef(), EnumRef()) | (UnionRef(), UnionRef()):
            return True
    before, after = list(parts(old).values()), list(parts(new).values())
    if type(old) is not type(new) or len(before) != len(after):
        return False
    return all(map(same_kind, before, after)) if before else old == new


def _constraints(old: Type, new: Type, where: str, role: Role) -> Iterator[Finding]:
    kind = old.kind if isinstance(old, Scalar) else ""
    before, after = (getattr(one, "constraints", NONE) for one in (old, new))
    for change, what in changes(before, after, kind):
        if role == "given":
            yield Finding("RESULT_CONSTRAINT_CHANGED", where, what)
        else:
            rule = "CONSTRAINT_TIGHTENED" if change == "tightened" else "CONSTRAINT_LOOSENED"
            yield Finding(rule, where, what)


def _enum(old: Enum, new: Enum, role: Role) -> Iterator[Finding]:
    yield from restored(new.name, old.reserved, new.reserved, {m.name for m in new.members})
    for before, after in pair(old.members, new.members):
        if after is None and before is not None:
            rule = "ENUM_VALUE_NO_DELETE" if role == "taken" else "RESULT_ENUM_VALUE_NO_DELETE"
            yield from gone(rule, new.name, "value", before, new.reserved)
        elif before is None and after is not None:
            yield Finding("ENUM_VALUE_ADDED", new.name, f"value `{after.name}` is new")
        elif before is not None and after is not None:
            where = f"{new.name}.{after.name}"
            if before.number != after.number:
                what = f"{before.number} became {after.number}"
                yield Finding("ENUM_VALUE_SAME_NUMBER", where, what)
            if before.elixir != after.elixir or before.name != after.name:
                what = f"`{before.elixir}` became `{after.elixir}`"
                yield Finding("ENUM_VALUE_SAME_NAME", where, what)
