"""Two releases of a service that is many edits: what old clients must not notice, and what they do.

Each edit is a model in two versions with a function of its own, which takes the model and says what
it understood, or gives values of it. So one pair of bridges shows many changes at work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from synapse_bridge.compatibility import compare
from synapse_bridge.compatibility.versions import (
    GIVEN_BADLY,
    KINDS,
    TAKEN_BADLY,
    Spec,
    edited,
    specs,
    values,
)
from synapse_bridge.contract import elixir_terms
from synapse_bridge.contract.model import Contract

_HEAD = """
from __future__ import annotations

import enum
from math import inf
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from synapse_bridge import RenamedFrom


def _plain(value):
    match value:
        case dict():
            return sorted((key, _plain(one)) for key, one in value.items())
        case list():
            return [_plain(one) for one in value]
    return getattr(value, "value", value)


def _seen(value, names):
    return repr([(old, _plain(getattr(value, new, "gone"))) for old, new in names.items()])
"""


@dataclass(frozen=True)
class Edit:
    """A model before and after; ``calls`` are the arguments that a client passes, as Elixir.

    ``known_to_break`` is said of one that was written, not drawn.
    """

    number: int
    kind: Literal["take", "give"]
    old: str
    new: str
    calls: tuple[str, ...]
    renamed: Mapping[str, str]
    known_to_break: bool = False

    @property
    def function(self) -> str:
        """What the client calls."""
        return f"{self.kind}_{self.number}"

    def shown(self) -> str:
        """Both versions, for a person."""
        return f"{self.old}\nbecame\n{self.new}\nwith {self.calls}"


def edits(count: int) -> list[Edit]:
    """The edits that are known to break something, and so many at random, always the same."""
    written: list[Edit] = []
    for before, after, data in TAKEN_BADLY:
        if not data and "x" in before:
            continue  # Clients of others leave a default out; this one sends it, and is understood.
        names = {name: name for name in data or ["x"] if name in before}
        call = _elixir_map({name: (before, value) for name, value in data.items()})
        ends = [_take(len(written), names), _take(len(written), names)]
        written.append(_written(len(written), "take", before, after, ends, call))
    for before, after, data in GIVEN_BADLY:
        first = {"x": [5] if "list" in before else 5}
        ends = [_give(len(written), [repr(one)]) for one in (first, data)]
        written.append(_written(len(written), "give", before, after, ends, "0"))
    return [*written, *(_random(number) for number in range(len(written), len(written) + count))]


def module(releases: Sequence[Edit], version: Literal["old", "new"]) -> str:
    """The source of a release."""
    return _HEAD + "".join(getattr(edit, version) for edit in releases)


def configuration(name: str, releases: Sequence[Edit]) -> str:
    """The configuration of the new release, with what has another name."""
    lines = (f"  {name}.{new}: {old}\n" for one in releases for new, old in one.renamed.items())
    return "renamed:\n" + "".join(lines)


def harmless(releases: Sequence[Edit], old: Contract, new: Contract) -> set[int]:
    """The edits by which no old client is said to be harmed."""
    found = [one.where for one in compare(old, new) if one.severity == "wire"]
    harmed = {int(number) for where in found for number in _OWN.findall(where)}
    return {one.number for one in releases} - harmed


_OWN = re.compile(r"\b(?:M|Color|take_|give_)(\d+)\b")
"""What belongs to an edit in a qualified name."""


def calls(releases: Sequence[Edit]) -> str:
    """The calls as an Elixir term: a list of ``{number, function, argument}``."""
    made = (f"{{{one.number}, :{one.function}, {call}}}" for one in releases for call in one.calls)
    return f"[\n  {', '.join(made)}\n]\n"


def write(folder: Path, name: str, releases: Sequence[Edit]) -> tuple[Path, Path]:
    """Writes both releases of the module, and gives the folders that they are in."""
    places = folder / "old", folder / "new"
    for place in places:
        place.mkdir()
        source = module(releases, "old" if place.name == "old" else "new")
        (place / f"{name}.py").write_text(source, "utf-8")
    (places[1] / "synapse.yaml").write_text(configuration(name, releases), "utf-8")
    return places


def _written(
    number: int,
    kind: Literal["take", "give"],
    before: str,
    after: str,
    ends: Sequence[str],
    call: str,
) -> Edit:
    old, new = (
        f"\n\nclass M{number}(BaseModel):\n    {fields}\n{end}"
        for fields, end in zip((before, after), ends, strict=True)
    )
    return Edit(number, kind, old, new, (call,), {}, known_to_break=True)


def _random(number: int) -> Edit:
    found: list[Edit] = []

    @seed(f"edit {number}")
    @settings(
        max_examples=3,  # the first one is the simplest
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_drawn(number))
    def collect(edit: Edit) -> None:
        found.append(edit)

    collect()
    return found[-1]


@st.composite
def _drawn(draw: st.DrawFn, number: int) -> Edit:
    old = draw(specs())
    new = draw(edited(old))
    after = {member.identity: member for member in new.members}
    names = {one.name: after[one.identity].name for one in old.members if one.identity in after}
    gone = {one.name: "gone" for one in old.members if one.identity not in after}
    renamed: dict[str, str] = {}
    if all(any("Color" in member.kind for member in spec.members) for spec in (old, new)):
        renamed = {_numbered(name, number): was for name, was in new.renamed.items()}
    if number % 2:
        kinds = {member.name: member.kind for member in old.members}
        sent = [draw(values(old)) for _ in range(3)]
        asked = [_elixir_map({k: (kinds[k], v) for k, v in one.items()}) for one in sent]
        ends = [_take(number, {name: name for name in kinds}), _take(number, {**names, **gone})]
        first, second = _models(number, (old, new), ends)
        return Edit(number, "take", first, second, tuple(asked), renamed)
    whole = st.fixed_dictionaries({one.name: KINDS[one.kind][0] for one in new.members})
    given_ = [draw(whole) for _ in range(3)]
    meant = [{o: one[n] for o, n in names.items()} for one in given_]
    ends = [
        _give(number, [_python(spec, one, number) for one in ones])
        for spec, ones in ((old, meant), (new, given_))
    ]
    first, second = _models(number, (old, new), ends)
    return Edit(number, "give", first, second, ("0", "1", "2"), renamed)


def _models(number: int, versions: Sequence[Spec], ends: Sequence[str]) -> Iterator[str]:
    for spec, end in zip(versions, ends, strict=True):
        yield f"\n\n{_numbered(spec.source(functions=False), number)}{end}"


def _numbered(source: str, number: int) -> str:
    return re.sub(r"\b(M|Color)\b", rf"\g<1>{number}", source)


def _take(number: int, names: Mapping[str, str]) -> str:
    head = f"\n\ndef take_{number}(value: M{number}) -> str:\n"
    return f"{head}    return _seen(value, {names!r})\n"


def _give(number: int, data: Sequence[str]) -> str:
    head = f"\n\ndef give_{number}(index: int) -> M{number}:\n"
    return f"{head}    return M{number}.model_construct(**[{', '.join(data)}][index])\n"


def _python(spec: Spec, data: Mapping[str, Any], number: int) -> str:
    kinds = {member.name: member.kind for member in spec.members}
    known = dict(spec.colors)

    def color(value: Any) -> str:
        # What a release has no name for, a client of it is told to be unknown; any will do there.
        return f"Color{number}({value if value in known else min(known)})"

    def one(kind: str, value: Any) -> str:
        if kind == "Color":
            return color(value)
        if kind == "dict[str, Color]" and isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {color(v)}" for key, v in value.items()) + "}"
        return repr(value)

    return "{" + ", ".join(f"{name!r}: {one(kinds[name], v)}" for name, v in data.items()) + "}"


_COLORS = {1: ":red", 2: ":green", 3: ":blue"}


def _elixir_map(data: Mapping[str, tuple[str, Any]]) -> str:
    """The argument for a model, of the kinds and values of its fields."""
    return "%{" + ", ".join(f"{name}: {_elixir(*one)}" for name, one in data.items()) + "}"


def _elixir(kind: str, value: Any) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case int():
            return _COLORS[value] if "Color" in kind else str(value)
        case float():
            return elixir_terms.number(value)
        case str():
            return f":{value}" if "Literal" in kind else elixir_terms.string(value)
        case list():
            return f"[{', '.join(_elixir(kind, one) for one in value)}]"
    return f"%{{{', '.join(_entries(kind, value))}}}"


def _entries(kind: str, value: Mapping[str, Any]) -> Iterator[str]:
    for key, one in value.items():
        yield f"{elixir_terms.string(key)} => {_elixir(kind, one)}"
