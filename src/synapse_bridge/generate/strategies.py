"""Random contracts, for tests: Hypothesis strategies."""

from __future__ import annotations

import keyword
from dataclasses import replace
from typing import Any, get_args

from hypothesis import assume
from hypothesis import strategies as st

from synapse_bridge.contract import (
    Constraints,
    Contract,
    Default,
    Docstring,
    Dynamic,
    Enum,
    EnumMember,
    EnumRef,
    Field,
    ListOf,
    Literally,
    MapOf,
    Message,
    MessageRef,
    Method,
    Nullable,
    Parameter,
    Required,
    Scalar,
    Service,
    SetOf,
    Streamed,
    TupleOf,
    Type,
    elixir_terms,
    names,
)
from synapse_bridge.contract.types import ScalarKind

_HOSTILE = ('"""', "#{raise(1)}", "\\", '"', "'", "```", "~S", "\n", "\n\n", "\t", "    ", "end")
_PROSE = ("*/", "<!--", "::", ">>> 1", ".. note:: x", ":class:`~a.B`", "é", "日本", "🙂", "\u202e")
TEXTS = st.lists(st.sampled_from((*_HOSTILE, *_PROSE)) | st.text(max_size=30), max_size=6).map(
    "".join
)

_RESERVED = (
    "end do fn nil true when and self send inspect to_string if unless def use call opts timeout "
    "metadata channel raise spawn node apply length max is_nil struct message request value item "
    "result pb serve key any items entries class_ from_ type_ string optional repeated map"
)
NAMES = (
    st.sampled_from(_RESERVED.split()) | st.from_regex(r"[a-z][a-z0-9_]{0,28}", fullmatch=True)
).filter(lambda name: not keyword.iskeyword(name))
_MODULES = "String Kernel Map List Enum Integer Module Any Elixir GenServer ListOfInt64 Service"
CLASSES = st.sampled_from(_MODULES.split()) | st.from_regex(
    r"[A-Z][A-Za-z0-9]{0,24}", fullmatch=True
)


def _unique(strategy: st.SearchStrategy[str], *keys: Any, most: int, least: int = 0) -> Any:
    return st.lists(strategy, unique_by=keys, min_size=least, max_size=most)


@st.composite
def contracts(draw: st.DrawFn, module: str) -> Contract:
    """A contract of that Python module, with all its names, none of which meet."""
    elixir = names.elixir_module(module)
    classes = draw(_unique(CLASSES.filter(_no_exchange), names.message, names.underscore, most=6))
    kinds = draw(st.lists(st.booleans(), min_size=len(classes), max_size=len(classes)))
    enums = [draw(_enum(module, elixir, c)) for c, kind in zip(classes, kinds, strict=True) if kind]
    values = [member.proto for enum in enums for member in enum.members]
    assume(len(set(values)) == len(values))
    models = [c for c, kind in zip(classes, kinds, strict=True) if not kind]
    errors = [models.pop() for _ in range(draw(st.integers(0, len(models))))]
    types = _Types(enums, [f"{module}.{name}" for name in models])
    messages = [draw(_model(module, elixir, name, types)) for name in models]
    raised = [draw(_error(module, elixir, name, types)) for name in errors]
    messages += raised
    methods = []
    keys = (names.camelize, names.elixir_function)
    for name in draw(_unique(NAMES, *keys, least=1, most=4)):
        method, request, response = draw(_method(module, elixir, name, types))
        raises = draw(st.sets(st.sampled_from(raised))) if raised else set()
        methods.append(replace(method, raises=tuple(sorted(error.name for error in raises))))
        messages += [request, response]
    service = Service(
        module,
        names.proto_package(elixir),
        names.service(elixir),
        elixir,
        names.stem(elixir),
        draw(TEXTS),
        tuple(methods),
    )
    functions = [m.elixir for m in methods]
    functions += [f"{m.elixir}_stream" for m in methods if m.streams_result]
    assume(len(set(functions)) == len(functions))
    protos = [service.proto, *(m.proto for m in messages), *(e.proto for e in enums)]
    assume(len(set(protos)) == len(protos))
    return Contract(
        service,
        tuple(sorted(messages, key=lambda message: message.name)),
        tuple(sorted(enums, key=lambda enum: enum.name)),
    )


def _no_exchange(name: str) -> bool:
    return not name.endswith(("Request", "Response"))


@st.composite
def _enum(draw: st.DrawFn, module: str, elixir: str, name: str) -> Enum:
    proto = names.message(name)
    is_literal = draw(st.booleans())
    if is_literal:
        found = draw(st.lists(st.text(max_size=12), min_size=1, max_size=5, unique=True))
    else:
        found = draw(_unique(NAMES, lambda n: names.snake(n), least=1, most=5))
    members = []
    for number, member in enumerate(found, 1):
        term = elixir_terms.atom(member)
        value = names.enum_value(proto, f"value_{number}" if is_literal else member)
        assert value is not None
        members.append(EnumMember(member, member, number, value, term, draw(TEXTS)))
    assume(len({member.elixir for member in members}) == len(members))
    assume(not any(member.proto.endswith("_UNSPECIFIED") for member in members))
    return Enum(
        f"{module}.{name}",
        proto,
        f"{elixir}.{proto}",
        "literal" if is_literal else "enum",
        tuple(members),
        draw(TEXTS),
        "" if is_literal else module,
    )


@st.composite
def _model(draw: st.DrawFn, module: str, elixir: str, name: str, types: _Types) -> Message:
    proto = names.message(name)
    return Message(
        f"{module}.{name}",
        proto,
        f"{elixir}.{proto}",
        "model",
        draw(_fields(types, most=8)),
        draw(TEXTS),
        module,
    )


@st.composite
def _error(draw: st.DrawFn, module: str, elixir: str, name: str, types: _Types) -> Message:
    model = draw(_model(module, elixir, name, types))
    fields = tuple(replace(field, default=Required()) for field in model.fields)
    return replace(model, role="error", fields=fields)


@st.composite
def _fields(draw: st.DrawFn, types: _Types, most: int, option: bool = False) -> tuple[Field, ...]:
    def elixir(name: str) -> str:
        return names.elixir_field(name, option=option)

    found = draw(_unique(NAMES, names.proto_field, _json_name, elixir, most=most))
    fields = []
    for number, name in enumerate(found, 1):
        type_ = draw(types.any())
        default = draw(types.default(type_))
        proto = names.proto_field(name)
        fields.append(Field(name, number, type_, default, draw(TEXTS), proto, elixir(name)))
    return tuple(fields)


def _json_name(name: str) -> str:
    return names.proto_field(name).replace("_", "").lower()


@st.composite
def _method(
    draw: st.DrawFn, module: str, elixir: str, name: str, types: _Types
) -> tuple[Method, Message, Message]:
    fields = draw(_fields(types, most=5, option=True))
    stream = draw(st.none() | st.sampled_from(fields)) if fields else None
    fields = tuple(replace(f, default=Streamed()) if f is stream else f for f in fields)
    parameters = tuple(
        Parameter(
            field.name,
            "positional"
            if isinstance(field.default, Required | Streamed) and draw(st.booleans())
            else "keyword",
        )
        for field in fields
    )
    result = draw(st.none() | types.any())
    doc = Docstring(
        draw(TEXTS).replace("\n", " "),
        draw(TEXTS),
        (),
        draw(TEXTS),
        tuple(draw(st.lists(st.tuples(st.just("ValueError"), TEXTS), max_size=2))),
        tuple(draw(st.lists(TEXTS, max_size=2))),
    )
    proto = names.camelize(name)
    answer = () if result is None else (Field("result", 1, result, Required(), "", *_RESULT),)
    ask, reply = f"{proto}Request", f"{proto}Response"
    request = Message(f"{module}.{name}#request", ask, f"{elixir}.{ask}", "request", fields)
    response = Message(f"{module}.{name}#response", reply, f"{elixir}.{reply}", "response", answer)
    method = Method(
        name,
        name,
        proto,
        names.elixir_function(name),
        request.name,
        response.name,
        parameters,
        result,
        draw(st.booleans()),
        doc,
        stream=stream.name if stream else None,
        streams_result=result is not None and draw(st.booleans()),
        context=draw(st.none() | st.just("context")),
        timeout_ms=draw(st.none() | st.integers(1, 10**9)),
        idempotent=draw(st.booleans()),
    )
    return method, request, response


_RESULT = ("result", "result")


class _Types:
    """Types over some enums and models, and defaults for them."""

    def __init__(self, enums: list[Enum], models: list[str]) -> None:
        self.enums = {enum.name: enum for enum in enums}
        references: list[Type] = [EnumRef(name) for name in self.enums]
        references += [MessageRef(name) for name in models]
        scalars = _scalars()
        self._leaf = scalars | st.sampled_from(references) if references else scalars

    def any(self) -> st.SearchStrategy[Type]:
        return st.recursive(self._leaf, _nested, max_leaves=4)

    def default(self, type_: Type) -> st.SearchStrategy[Default]:
        choices: list[st.SearchStrategy[Default]] = [st.just(Required()), st.just(Dynamic())]
        if (values := self._values(type_)) is not None:
            choices.append(values.map(Literally))
        return st.one_of(choices)

    def _values(self, type_: Type) -> st.SearchStrategy[Any] | None:
        """JSON values of a type, or none where it has constraints or cannot have a literal."""
        if getattr(type_, "constraints", None):
            return None
        match type_:
            case Scalar(kind):
                return _VALUES.get(kind)
            case EnumRef(name):
                return st.sampled_from([member.name for member in self.enums[name].members])
            case Nullable(inner):
                values = self._values(inner)
                return st.none() if values is None else st.none() | values
            case ListOf(item):
                values = self._values(item)
                return st.just([]) if values is None else st.lists(values, max_size=3)
            case MapOf(key, value):
                values = self._values(value)
                if not isinstance(key, Scalar) or key.kind not in _KEYS:
                    return None
                keys = _KEYS[key.kind]
                return st.just({}) if values is None else st.dictionaries(keys, values, max_size=3)
            case _:
                return None


_INT64 = st.integers(-(2**63), 2**63 - 1)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int64": _INT64,
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.just(123456.75),
    "string": TEXTS,
}
_KEYS = {
    "bool": st.sampled_from(("true", "false")),
    "int64": _INT64.map(str),
    "uint64": st.integers(0, 2**64 - 1).map(str),
    "string": TEXTS,
}
_CONSTRAINED = ("bool", "int64", "uint64", "double", "string", "bytes")
_PLAIN = tuple(Scalar(kind) for kind in get_args(ScalarKind) if kind not in _CONSTRAINED)
_UNSIGNED = Scalar("uint64", Constraints(ge=0, le=2**64 - 1))


def _scalars() -> st.SearchStrategy[Type]:
    bounds = st.fixed_dictionaries(
        {}, optional={"ge": _INT64, "lt": _INT64, "multiple_of": st.integers(1, 10**9)}
    )
    limits = st.fixed_dictionaries(
        {}, optional={"gt": st.floats(-1e9, 1e9), "le": st.floats(0, 1e300)}
    )
    lengths = {"min_length": st.integers(0, 9), "max_length": st.integers(0, 10**7)}
    patterns = st.sampled_from(("^a$", r"^\d{3}-[\"#{}`]+$", "\\\\", "é", "`"))
    return st.one_of(
        st.builds(lambda c: Scalar("int64", Constraints(**c)), bounds),
        st.builds(lambda c: Scalar("double", Constraints(**c)), limits),
        st.builds(
            lambda c: Scalar("string", Constraints(**c)),
            st.fixed_dictionaries({}, optional={**lengths, "pattern": patterns}),
        ),
        st.builds(
            lambda c: Scalar("bytes", Constraints(**c)), st.fixed_dictionaries({}, optional=lengths)
        ),
        st.sampled_from((Scalar("bool"), _UNSIGNED, *_PLAIN)),
    )


def _nested(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    lengths = st.fixed_dictionaries({}, optional={"min_length": st.integers(0, 9)})
    keys = st.sampled_from((Scalar("bool"), Scalar("int64"), Scalar("uint64"), Scalar("string")))
    return st.one_of(
        st.builds(lambda item, c: ListOf(item, Constraints(**c)), inner, lengths),
        st.builds(lambda item, c: SetOf(item, Constraints(**c)), inner, lengths),
        st.builds(TupleOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(lambda k, v, c: MapOf(k, v, Constraints(**c)), keys | inner, inner, lengths),
        st.builds(lambda item: item if isinstance(item, Nullable) else Nullable(item), inner),
    )
