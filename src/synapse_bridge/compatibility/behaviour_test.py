"""Changes behave as they are classified: old clients against new servers, both generated and run.

A client is stood in for by its side of the generated code: it writes the bytes that it would send,
and reads those that it would get. What is not wire-breaking must be understood as it was meant.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from pydantic_core import ValidationError

from synapse_bridge.compatibility import breaking, compare
from synapse_bridge.compatibility.conftest import History
from synapse_bridge.contract.model import Field
from synapse_bridge.contract.types import Nullable
from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import load
from synapse_bridge.introspect import Naming
from synapse_bridge.lock import EMPTY, ServiceLock
from synapse_bridge.serve.arguments import validator
from synapse_bridge.serve.service import UnknownNumber

_counter = itertools.count(1)

FUNCTIONS = """
def take(value: M) -> None: ...
def give() -> M: ...
def echo(value: M) -> M: return value
"""


class Bridge:
    """The generated code of a version, as a client or as a server of it."""

    def __init__(
        self, history: History, source: str, lock: ServiceLock, renamed: dict[str, str]
    ) -> None:
        # Each in a package of its own, as protobuf has one registry of names for the process.
        naming = Naming(f"Version{next(_counter)}")
        self.version = history.version(source, lock, ("echo",), naming, renamed)
        folder = history.folder
        for path, text in generate(self.version.contract).items():
            if path.startswith("python/"):
                assert isinstance(text, str)
                (folder / path.removeprefix("python/")).write_text(text, encoding="utf-8")
        server = load(f"{self.version.contract.service.stem}_server")
        (self.method,) = server.SERVICE.methods
        self.model: Any = self.version.module.M
        self._validate = validator(self.method.function)

    def _fields(self) -> tuple[Field, ...]:
        return self.version.contract.message(f"{self.model.__module__}.M").fields

    def asked(self, data: dict[str, Any]) -> bytes:
        """What a client sends: of the fields with defaults only those that ``data`` has."""
        message: Any = self.method.response(self.model.model_validate(data))
        for one in self._fields():
            if one.name not in data:
                message.result.ClearField(one.proto)
        return bytes(message.SerializeToString())

    def answered(self, data: dict[str, Any]) -> bytes:
        """What a server sends: every field."""
        message: Any = self.method.response(self.model.model_validate(data))
        return bytes(message.SerializeToString())

    def read(self, data: bytes) -> dict[str, Any]:
        """What of a value has arrived, as plain data, not validated; absent may mean None."""
        # The result of an echo and its parameter are both field 1.
        arguments = self.method.arguments(self.method.request.FromString(data))
        empty = {one.name: None for one in self._fields() if isinstance(one.type, Nullable)}
        return {**empty, **plain(arguments["value"])}

    def holds(self, name: str, data: dict[str, Any]) -> bool:
        """Whether a field that may not be None is not."""
        (one,) = (each for each in self._fields() if each.name == name)
        return isinstance(one.type, Nullable) or data[name] is not None

    def understood(self, data: bytes) -> dict[str, Any]:
        """What the function gets."""
        arguments = self.method.arguments(self.method.request.FromString(data))
        return plain(self._validate(arguments)["value"].model_dump())  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """A value with enum members as their values, which stay where names change."""
    match value:
        case dict():
            return {key: plain(one) for key, one in value.items()}
        case list():
            return [plain(one) for one in value]
        case UnknownNumber():
            return value
        case _:
            return getattr(value, "value", value)


# Random versions


@dataclass(frozen=True)
class Member:
    """A field: ``kind`` is one of KINDS; ``identity`` stays when the name changes."""

    identity: int
    kind: str
    name: str
    was: str = ""
    default: str = ""

    def line(self) -> str:
        kind = f'Annotated[{self.kind}, RenamedFrom("{self.was}")]' if self.was else self.kind
        return f"    {self.name}: {kind}{f' = {self.default}' if self.default else ''}\n"


INTS = st.integers(-9, 99)
KINDS: dict[str, tuple[st.SearchStrategy[Any], tuple[str, ...]]] = {
    "int": (INTS, ("1", "2")),
    "Annotated[int, Field(ge=0, le=50)]": (st.integers(0, 50), ("1", "2")),
    "Annotated[int, Field(gt=-10)]": (INTS, ("1", "2")),
    "str": (st.text("abc", max_size=3), ("'a'", "''")),
    "Annotated[str, Field(max_length=2)]": (st.text("abc", max_size=2), ("'a'", "''")),
    "float": (st.floats(allow_nan=False), ("0.5",)),
    "bool": (st.booleans(), ("True",)),
    "int | None": (st.none() | INTS, ("None", "1")),
    "Color": (st.sampled_from((1, 2, 3)), ("Color(1)",)),
    "list[int]": (st.lists(INTS, max_size=3), ("[]", "[1]")),
    "list[int] | None": (st.none() | st.lists(INTS, max_size=3), ("None",)),
    "list[int | None]": (st.lists(st.none() | INTS, max_size=3), ("[]",)),
    "Annotated[list[int], Field(min_length=1)]": (st.lists(INTS, min_size=1, max_size=3), ("[1]",)),
    "dict[str, int]": (st.dictionaries(st.text("ab", max_size=2), INTS, max_size=2), ("{}",)),
    "dict[str, Color]": (
        st.dictionaries(st.text("ab", max_size=2), st.sampled_from((1, 2, 3)), max_size=2),
        ("{}",),
    ),
    "Literal['a', 'b']": (st.sampled_from(("a", "b")), ("'a'",)),
    "Literal['a', 'b', 'c']": (st.sampled_from(("a", "b", "c")), ("'a'",)),
}
COLORS = {1: "RED", 2: "GREEN", 3: "BLUE", 4: "PINK"}


@dataclass(frozen=True)
class Spec:
    """A version: the fields of its model, and the members of its enum, by value."""

    members: tuple[Member, ...]
    colors: tuple[tuple[int, str], ...] = tuple(list(COLORS.items())[:3])
    renamed: dict[str, str] = field(default_factory=dict)

    def source(self) -> str:
        colors = "".join(f"    {name} = {value}\n" for value, name in self.colors)
        lines = "".join(member.line() for member in self.members) or "    pass\n"
        return f"class Color(enum.Enum):\n{colors}\nclass M(BaseModel):\n{lines}{FUNCTIONS}"


@st.composite
def members(draw: st.DrawFn, identity: int) -> Member:
    kind = draw(st.sampled_from(sorted(KINDS)))
    default = draw(st.sampled_from(("", *KINDS[kind][1])))
    return Member(identity, kind, f"f{identity}", default=default)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    return Spec(tuple(draw(members(n)) for n in range(draw(st.integers(1, 4)))))


@st.composite
def edited(draw: st.DrawFn, spec: Spec) -> Spec:
    """The spec after one to three edits."""
    for number in range(draw(st.integers(1, 3))):
        spec = draw(_edit(spec, 10 + number))
    return spec


@st.composite
def _edit(draw: st.DrawFn, spec: Spec, fresh: int) -> Spec:
    found = list(spec.members)
    kinds = ["add", "color"] + (["delete", "move", "kind", "default", "rename"] if found else [])
    kind = draw(st.sampled_from(kinds))
    at = draw(st.integers(0, max(len(found) - 1, 0)))
    match kind:
        case "add":
            found.insert(at, draw(members(fresh)))
        case "delete":
            del found[at]
        case "move":
            found = draw(st.permutations(found))
        case "kind":
            other = draw(members(found[at].identity))
            found[at] = replace(found[at], kind=other.kind, default=other.default)
        case "default":
            default = draw(st.sampled_from(("", *KINDS[found[at].kind][1])))
            found[at] = replace(found[at], default=default)
        case "rename" if not found[at].was:
            found[at] = replace(found[at], name=f"new{found[at].name}", was=found[at].name)
        case "color":
            return draw(_color(spec))
    return replace(spec, members=tuple(found))


@st.composite
def _color(draw: st.DrawFn, spec: Spec) -> Spec:
    kind = draw(st.sampled_from(("add", "move", "rename")))
    if kind == "add":
        return replace(spec, colors=tuple(dict([*spec.colors, (4, "PINK")]).items()))
    if kind == "move":
        return replace(spec, colors=tuple(draw(st.permutations(spec.colors))))
    colors = {**dict(spec.colors), 2: "LIME"}
    return replace(spec, colors=tuple(colors.items()), renamed={"Color.LIME": "GREEN"})


def values(spec: Spec) -> st.SearchStrategy[dict[str, Any]]:
    """Data for the model, in which fields that have a default may be left out."""
    required = {m.name: KINDS[m.kind][0] for m in spec.members if not m.default}
    optional = {m.name: KINDS[m.kind][0] for m in spec.members if m.default}
    return st.fixed_dictionaries(required, optional=optional)


@dataclass(frozen=True)
class Change:
    """Two versions of a module, and whether the step from one to the other is said to be harmless
    to the wire, for what clients send (``take``) and for what they get (``give``)."""

    old: Bridge
    new: Bridge
    harmless: dict[str, bool]


def changed(
    history: History, old: str, new: str, renamed: dict[str, str], locked: bool = True
) -> Change:
    harmless = {}
    for function in ("take", "give"):
        first = history.version(old, EMPTY, (function,))
        second = history.version(new, first.lock if locked else EMPTY, (function,), None, renamed)
        harmless[function] = not breaking(compare(first.contract, second.contract), "wire")
    before = Bridge(history, old, EMPTY, {})
    after = Bridge(history, new, before.version.lock if locked else EMPTY, renamed)
    return Change(before, after, harmless)


def alike(there: Any, here: Any) -> bool:
    """Whether an old client reads what was meant; an enum value that it does not know is said to
    be that."""
    match there, here:
        case _, UnknownNumber():
            return True
        case dict(), dict():
            return there.keys() == here.keys() and all(alike(there[k], here[k]) for k in there)
        case list(), list():
            return len(there) == len(here) and all(map(alike, there, here))
        case _:
            return type(there) is type(here) and bool(there == here)


def asks_well(change: Change, data: dict[str, Any], names: dict[str, str]) -> bool:
    """Whether the new server understands an old client; ``names`` are the new names by the old."""
    sent = change.old.asked(data)
    meant = change.old.understood(sent)
    try:
        got = change.new.understood(sent)
    except (ValidationError, DecodeError, UnicodeDecodeError):
        return False
    return all(new in got and alike(meant[old], got[new]) for old, new in names.items())


def answers_well(change: Change, data: dict[str, Any], names: dict[str, str]) -> bool:
    """Whether an old client understands the new server; it checks no constraints."""
    sent = change.new.answered(data)
    meant = change.new.read(sent)
    try:
        got = change.old.read(sent)
    except (DecodeError, UnicodeDecodeError):
        return False
    return all(
        old in got and new in meant and alike(meant[new], got[old]) and change.old.holds(old, got)
        for old, new in names.items()
    )


@settings(
    max_examples=int(os.environ.get("COMPATIBILITY_EXAMPLES", "25")),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_what_does_not_break_the_wire_is_understood(history: History, data: st.DataObject) -> None:
    old = data.draw(specs())
    new = data.draw(edited(old))
    change = changed(history, old.source(), new.source(), new.renamed)
    after = {member.identity: member.name for member in new.members}
    names = {m.name: after.get(m.identity, "gone") for m in old.members}
    event(f"harmless: {change.harmless}")
    for _ in range(4):
        if change.harmless["take"]:
            asked = data.draw(values(old))
            assert asks_well(change, asked, names), (old.source(), new.source(), asked)
        if change.harmless["give"]:
            answered = data.draw(values(new))
            assert answers_well(change, answered, names), (old.source(), new.source(), answered)


def model(fields: str) -> str:
    return f"class M(BaseModel):\n    {fields}\n{FUNCTIONS}"


@pytest.mark.parametrize(
    ("old", "new", "data"),
    [
        ("x: int", "x: str", {"x": 5}),
        ("x: int", "x: float", {"x": 5}),
        ("x: int = 1", "kept: int = 0", {"x": 5}),
        ("kept: int = 0", "kept: int = 0\n    x: int", {}),
        ("x: int = 1", "x: int", {}),
        ("x: int = 1", "x: int = 2", {}),
        ("x: int | None", "x: int", {"x": None}),
        ("x: int", "x: Annotated[int, Field(ge=0)]", {"x": -1}),
        ("x: str", 'x: Annotated[str, Field(pattern="a")]', {"x": "b"}),
        ("x: list[int] = []", "x: list[int] = [1]", {"x": [5]}),
        ("x: list[int]", "x: Annotated[list[int], Field(min_length=1)]", {"x": []}),
        ('x: Literal["a", "b"]', 'x: Literal["a"]', {"x": "b"}),
        ("x: list[int]", "x: list[int | None]", {"x": [5]}),
    ],
)
def test_what_clients_send_and_is_said_to_break_does(
    history: History, old: str, new: str, data: dict[str, Any]
) -> None:
    change = changed(history, model(old), model(new), {})
    assert not change.harmless["take"]
    assert not asks_well(change, data, {name: name for name in data or ["x"] if name in old})


@pytest.mark.parametrize(
    ("old", "new", "data"),
    [
        ("x: int", "x: str", {"x": "a"}),
        ("x: int = 1", "kept: int = 0", {}),
        ("x: int", "x: int | None", {"x": None}),
        ("x: list[int]", "x: list[int | None]", {"x": [5]}),
    ],
)
def test_what_servers_send_and_is_said_to_break_does(
    history: History, old: str, new: str, data: dict[str, Any]
) -> None:
    change = changed(history, model(old), model(new), {})
    assert not change.harmless["give"]
    assert not answers_well(change, data, {"x": "x"})


def test_without_a_lock_moving_a_field_breaks_it(history: History) -> None:
    old, new = model("x: int\n    y: int"), model("y: int\n    x: int")
    change = changed(history, old, new, {}, locked=False)
    assert not change.harmless["take"]
    assert not asks_well(change, {"x": 1, "y": 2}, {"x": "x", "y": "y"})
    change = changed(history, old, new, {})
    assert change.harmless["take"]
    assert asks_well(change, {"x": 1, "y": 2}, {"x": "x", "y": "y"})
