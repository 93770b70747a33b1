"""Changes behave as they are classified: old clients against new servers, both generated and run.

A client is stood in for by its side of the generated code: it writes the bytes that it would send,
and reads those that it would get. What is not wire-breaking must be understood as it was meant.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from pydantic_core import ValidationError

from synapse_bridge.compatibility import breaking, compare
from synapse_bridge.compatibility.conftest import History
from synapse_bridge.compatibility.versions import (
    FUNCTIONS,
    GIVEN_BADLY,
    TAKEN_BADLY,
    edited,
    specs,
    values,
)
from synapse_bridge.contract.model import Field
from synapse_bridge.contract.types import Nullable
from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import load
from synapse_bridge.introspect import Naming
from synapse_bridge.lock import EMPTY, ServiceLock
from synapse_bridge.serve.arguments import validator
from synapse_bridge.serve.service import UnknownNumber

_counter = itertools.count(1)


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
    TAKEN_BADLY,
)
def test_what_clients_send_and_is_said_to_break_does(
    history: History, old: str, new: str, data: dict[str, Any]
) -> None:
    change = changed(history, model(old), model(new), {})
    assert not change.harmless["take"]
    assert not asks_well(change, data, {name: name for name in data or ["x"] if name in old})


@pytest.mark.parametrize(
    ("old", "new", "data"),
    GIVEN_BADLY,
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
