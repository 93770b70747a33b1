"""For tests: random versions of a module, and random edits of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

FUNCTIONS = """
def take(value: M) -> None: ...
def give() -> M: ...
def echo(value: M) -> M: return value
"""


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

    def source(self, functions: bool = True) -> str:
        colors = "".join(f"    {name} = {value}\n" for value, name in self.colors)
        lines = "".join(member.line() for member in self.members) or "    pass\n"
        model = f"class Color(enum.Enum):\n{colors}\nclass M(BaseModel):\n{lines}"
        return model + (FUNCTIONS if functions else "")


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
        case "rename" if not found[at].was and found[at].identity < 10:
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


TAKEN_BADLY: tuple[tuple[str, str, dict[str, Any]], ...] = (
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
)
"""The fields of a model before and after, and what of an old client a new server does not take, or
not as it was meant."""

GIVEN_BADLY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("x: int", "x: str", {"x": "a"}),
    ("x: int = 1", "kept: int = 0", {}),
    ("x: int", "x: int | None", {"x": None}),
    ("x: list[int]", "x: list[int | None]", {"x": [5]}),
)
"""The same for what a new server gives, and an old client does not read as it was meant."""
