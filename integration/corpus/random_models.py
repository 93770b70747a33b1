"""Random models: modules as Python source, each with a few classes and values of the last one.

A class has the classes before it among its types, so that models are in models; the last one is
what is sent.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import random_types as rt
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from random_types import Kind

from synapse_bridge.contract import names
from synapse_bridge.generate.strategies import CLASSES, NAMES

DEPTH = 2
"""How deep containers are in containers in one field; with classes in classes it is twice that."""

VALUES = 4
"""How many values of each model there are."""


@dataclass(frozen=True)
class Random:
    """A module: its source, the name of the class to send, and expressions of values of it."""

    source: str
    model: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """A module that was imported."""

    random: Random
    model: type
    values: list[Any]

    def __str__(self) -> str:
        values = "\n".join(f"    {value}," for value in self.random.values)
        return f"{self.random.source}\n\nVALUES = [\n{values}\n]\n"


def batch(size: int, number: int) -> list[Random]:
    """So many of them, always the same for the same number."""
    return [_one(f"{number} {n}", rt.SCALARS[n % len(rt.SCALARS)]) for n in range(size)]


def _one(name: str, scalar: Kind) -> Random:
    """A module, whose last class has a field of a certain scalar."""
    found: list[Random] = []

    @seed(name)
    @settings(
        max_examples=4,  # the first one is the simplest; later ones may repeat each other
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(modules(scalar))
    def collect(module: Random) -> None:
        found.append(module)

    collect()
    return max(found, key=lambda one: len(one.source))


def load(randoms: Sequence[Random], folder: Path, package: str) -> list[Loaded]:
    """Writes them as modules of a package, which has to be new to this process."""
    home = folder / package
    home.mkdir(parents=True)
    (home / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    for number, random in enumerate(randoms):
        (home / f"case_{number}.py").write_text(random.source, encoding="utf-8")
    importlib.invalidate_caches()
    loaded = []
    for number, random in enumerate(randoms):
        module = importlib.import_module(f"{package}.case_{number}")
        values = [eval(text, vars(module)) for text in random.values]  # what we have made ourselves
        loaded.append(Loaded(random, getattr(module, random.model), values))
    return loaded


@st.composite
def modules(draw: st.DrawFn, scalar: Kind) -> Random:
    """A module of three to five classes."""
    titles = draw(
        st.lists(
            CLASSES.filter(_is_free),
            unique_by=(names.message, names.underscore),
            min_size=3,
            max_size=5,
        )
    )
    parts: list[_Part] = []
    for title in titles[:-1]:
        parts.append(draw(draw(st.sampled_from(_PARTS))(title, [part.kind for part in parts])))
    whole = draw(_model(titles[-1], [scalar, *(part.kind for part in parts)]))
    sources = [rt.IMPORTS, *(part.source for part in (*parts, whole))]
    values = draw(st.lists(whole.kind.values, min_size=VALUES, max_size=VALUES))
    return Random("\n\n\n".join(sources) + "\n", whole.kind.annotation, tuple(values))


def _is_free(name: str) -> bool:
    return not name.endswith(("Request", "Response")) and name not in dir(builtins)


@dataclass(frozen=True)
class _Part:
    """A class or an alias: its definition, and the type that it is."""

    source: str
    kind: Kind


_Make = Callable[[str, Sequence[Kind]], st.SearchStrategy[_Part]]


@dataclass(frozen=True)
class _Field:
    name: str
    kind: Kind
    default: str | None = None

    @property
    def hint(self) -> str:
        return self.kind.annotation


_FORBIDDEN = {*dir(builtins), *dir(BaseModel), *dir(tuple)}
_FORBIDDEN |= {line.rpartition(" ")[2] for line in rt.IMPORTS.splitlines()}


def _is_field(name: str) -> bool:
    return name not in _FORBIDDEN and not name.startswith("model_") and name.isidentifier()


@st.composite
def _fields(
    draw: st.DrawFn, named: Sequence[Kind], *, arbitrary: bool = False, hashable: bool = False
) -> list[_Field]:
    """Fields, those with a default last."""
    kinds = rt.types(named, DEPTH)
    if hashable:
        kinds = st.sampled_from([kind for kind in (*rt.SCALARS, *named) if kind.hashable])
    found = draw(
        st.lists(
            NAMES.filter(_is_field),
            unique_by=(names.proto_field, _json_name, names.elixir_field),
            min_size=1,
            max_size=6,
        )
    )
    fields = []
    for name in found:
        kind = draw(kinds.filter(lambda kind: arbitrary or not kind.arbitrary))
        default = draw(st.none() | kind.values)
        fields.append(_Field(name, kind, default))
    return sorted(fields, key=lambda one: one.default is not None)


def _json_name(name: str) -> str:
    return names.proto_field(name).replace("_", "").lower()


def _built(
    title: str, fields: Sequence[_Field], extra: st.SearchStrategy[str | None] | None = None
) -> rt.Source:
    """Calls of a class; what has a default is sometimes left to it."""
    entries = [_entry(one) for one in fields] + ([] if extra is None else [extra])
    return st.tuples(*entries).map(
        lambda some: f"{title}(**{{{', '.join(one for one in some if one)}}})"
    )


def _entry(one: _Field) -> st.SearchStrategy[str | None]:
    given = one.kind.values.map(lambda text: f"{one.name!r}: {text}")
    return given if one.default is None else st.none() | given


# Classes


@st.composite
def _model(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    """A `BaseModel`, perhaps open, with aliases, a computed field, or itself inside."""
    fields = draw(_fields(named, arbitrary=True))
    for number, kind in enumerate(named):  # so that each class is reached
        around = draw(st.sampled_from((_same, rt.optional, *_HOLDERS)))(kind)
        fields.append(_Field(f"hat_{number}", around, draw(st.none() | around.values)))
    config = ["arbitrary_types_allowed=True", "populate_by_name=True"]
    config += draw(st.sampled_from(([], [], ["alias_generator=str.swapcase"])))
    extra = None
    if draw(st.integers(0, 3)) == 0:
        config.append('extra="allow"')
        kind = next(kind for kind in rt.SCALARS if kind.annotation == "typing.Any")
        more = kind.values.map(lambda text: f"'zusätzlich': {text}")
        extra = st.none() | more
    lines = [f"class {title}(pydantic.BaseModel):"]
    lines.append(f"    model_config = pydantic.ConfigDict({', '.join(config)})")
    for one in fields:
        lines.append(f"    {one.name}: {one.hint}{draw(_assigned(one))}")
    values = _built(title, fields, extra)
    if draw(st.booleans()):
        inner = _Field("within_itself", _inside(title, values, draw(st.booleans())), "[]")
        lines.append(f"    {inner.name}: {inner.hint} = {inner.default}")
        values = _built(title, [*fields, inner], extra)
    if draw(st.integers(0, 3)) == 0:
        lines += ["", "    @pydantic.computed_field", "    @property"]
        lines += ["    def computed_here(self) -> int:", "        return 7"]
    return _Part("\n".join(lines), Kind(title, values, frozenset({title})))


def _same(kind: Kind) -> Kind:
    return kind


_HOLDERS: Sequence[Callable[[Kind], Kind]] = (
    lambda kind: rt.lists(kind, "list[{}]", False),
    lambda kind: rt.maps(rt.SCALARS[1], kind, "dict[{}, {}]"),
    lambda kind: rt.tuples((kind, rt.optional(kind))),
    lambda kind: rt.union((kind, rt.SCALARS[4], rt.SCALARS[0])),
)


def _inside(title: str, values: rt.Source, in_list: bool) -> Kind:
    if in_list:
        some = st.lists(values, max_size=2).map(lambda found: f"[{', '.join(found)}]")
        return Kind(f"list[{title!r}]", some, frozenset())
    some = values.map(lambda one: f"[{{'': {one}}}, None]")
    return Kind(f"list[dict[str, {title!r}] | None]", st.just("[]") | some, frozenset())


@st.composite
def _assigned(draw: st.DrawFn, one: _Field) -> str:
    """What stands behind an annotation."""
    options = []
    if one.default is not None:
        options.append(f"default_factory=lambda: {one.default}")
    alias = draw(st.none() | st.sampled_from(("alias", "validation_alias", "serialization_alias")))
    if alias:
        options.append(f"{alias}='als-{one.name}'")
    if options:
        return f" = pydantic.Field({', '.join(options)})"
    return ""


@st.composite
def _frozen_model(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    """A `BaseModel` that can be a key."""
    fields = draw(_fields(named, hashable=True))
    lines = [f"class {title}(pydantic.BaseModel, frozen=True):"]
    lines += [f"    {one.name}: {one.hint}{_default(one)}" for one in fields]
    kind = Kind(title, _built(title, fields), frozenset({title}), hashable=True)
    return _Part("\n".join(lines), kind)


def _default(one: _Field) -> str:
    return "" if one.default is None else f" = {one.default}"


@st.composite
def _dataclass(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    fields = draw(_fields(named))
    decorator = draw(st.sampled_from(("dataclasses", "pydantic.dataclasses")))
    lines = [f"@{decorator}.dataclass", f"class {title}:"]
    for one in fields:
        factory = f" = dataclasses.field(default_factory=lambda: {one.default})"
        lines.append(f"    {one.name}: {one.hint}{'' if one.default is None else factory}")
    return _Part("\n".join(lines), Kind(title, _built(title, fields), frozenset({title})))


@st.composite
def _named_tuple(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    fields = draw(_fields(named))
    lines = [f"class {title}(typing.NamedTuple):"]
    lines += [f"    {one.name}: {one.hint}{_default(one)}" for one in fields]
    hashable = all(one.kind.hashable for one in fields)
    kind = Kind(title, _built(title, fields), frozenset({"tuple", title}), hashable=hashable)
    return _Part("\n".join(lines), kind)


@st.composite
def _typed_dict(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    fields = draw(_fields(named))
    lines = [f"class {title}(typing_extensions.TypedDict):"]
    for one in fields:
        hint = one.hint if one.default is None else f"typing.NotRequired[{one.hint}]"
        lines.append(f"    {one.name}: {hint}")
    return _Part("\n".join(lines), Kind(title, _built("dict", fields), frozenset({"map"})))


@st.composite
def _generic(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    """A generic model, and one of its instances."""
    # In arguments typing forgets the order of a union's members; such ones are refused.
    inner = draw(rt.types(named, 1).filter(lambda kind: "Union[" not in kind.annotation))
    lines = [f'T{title} = typing.TypeVar("T{title}")', "", ""]
    lines += [f"class {title}(pydantic.BaseModel, typing.Generic[T{title}]):"]
    lines += ["    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)"]
    lines += [f"    item: T{title}", f"    following: list[T{title}] = []"]
    name = f"{title}OfIt"  # written once, as pydantic makes a class for each `Annotated` of ours
    lines += ["", "", f"{name} = {title}[{inner.annotation}]"]
    many = st.lists(inner.values, max_size=2).map(lambda found: f"[{', '.join(found)}]")
    fields = [_Field("item", inner), _Field("following", replace(inner, values=many), "[]")]
    return _Part("\n".join(lines), Kind(name, _built(name, fields), frozenset({title})))


@st.composite
def _family(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    """A model and a subclass with a field more, as a union or by a discriminator."""
    fields = draw(_fields(named, arbitrary=True))
    config = "    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)"
    lines = [f"class {title}(pydantic.BaseModel):", config]
    lines += ['    art: typing.Literal["ganz"] = "ganz"']
    lines += [f"    {one.name}: {one.hint}" for one in fields]
    tagged = draw(st.booleans())
    base = "pydantic.BaseModel" if tagged else title
    lines += ["", "", f"class {title}Teil({base}):", config]
    more = _Field("noch_mehr", draw(rt.types(named, 1).filter(lambda kind: not kind.arbitrary)))
    if tagged:
        lines.append('    art: typing.Literal["teil"] = "teil"')
    lines.append(f"    {more.name}: {more.hint}")
    both = f"{title} | {title}Teil"
    if tagged:
        both = f"typing.Annotated[{both}, pydantic.Field(discriminator='art')]"
    whole = _built(title, [replace(one, default=None) for one in fields])
    part = [more] if tagged else [*(replace(one, default=None) for one in fields), more]
    values = whole | _built(f"{title}Teil", part)
    return _Part("\n".join(lines), Kind(both, values, frozenset({title})))


@st.composite
def _enum(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    base = draw(st.sampled_from(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")))
    members = draw(
        st.lists(
            NAMES.map(str.upper).filter(lambda name: name != "MRO"),
            unique_by=names.snake,
            min_size=1,
            max_size=4,
        )
    )
    lines = [f"class {title}(enum.{base}):"]
    for number, member in enumerate(members):
        value: Any = {"StrEnum": f"{member.lower()}!", "Enum": f"{number}"}.get(base, 2**number)
        lines.append(f"    {member} = {value!r}")
    one = st.sampled_from([f"{title}.{member}" for member in members])
    if base.endswith("Flag"):
        one = st.lists(one, max_size=3).map(lambda some: " | ".join((f"{title}(0)", *some)))
    return _Part("\n".join(lines), Kind(title, one, frozenset({title}), hashable=True))


@st.composite
def _literal(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    plain = st.text(max_size=6) | st.integers(-(2**40), 2**40) | st.binary(max_size=4)
    # Two values that are written alike are refused.
    found = draw(st.lists(plain, unique_by=_written, min_size=1, max_size=5))
    values = [repr(value) for value in found]
    alias = f"{title} = typing.Literal[{', '.join(values)}]"
    families = frozenset({"str", "int", "bytes"})
    return _Part(alias, Kind(title, st.sampled_from(values), families, hashable=True))


def _written(value: str | int | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@st.composite
def _root(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    inner = draw(rt.types(named, 1).filter(lambda kind: not kind.arbitrary))
    lines = [f"class {title}(pydantic.RootModel[{inner.annotation}]):", "    pass"]
    values = inner.values.map(lambda text: f"{title}({text})")
    # One that holds None is refused where None has another meaning beside it.
    families = frozenset({title, *(["any"] if inner.nullable else [])})
    return _Part("\n".join(lines), Kind(title, values, families, nullable=inner.nullable))


@st.composite
def _recursive_alias(draw: st.DrawFn, title: str, named: Sequence[Kind]) -> _Part:
    leaf = draw(st.sampled_from([kind for kind in rt.SCALARS if kind.families & {"int", "str"}]))
    text = f"typing_extensions.TypeAliasType({title!r}, '{leaf.annotation} | list[{title}]')"
    values = st.recursive(
        leaf.values,
        lambda inner: st.lists(inner, max_size=2).map(lambda found: f"[{', '.join(found)}]"),
        max_leaves=4,
    )
    families = leaf.families | {"sequence", "tuple"}
    return _Part(f"{title} = {text}", Kind(title, values, families))


_PARTS: Sequence[_Make] = (
    _model,
    _frozen_model,
    _dataclass,
    _named_tuple,
    _typed_dict,
    _generic,
    _family,
    _enum,
    _literal,
    _root,
    _recursive_alias,
)
