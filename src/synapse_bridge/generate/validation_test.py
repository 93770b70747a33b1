"""protovalidate says of a value what pydantic says of it."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any

import protovalidate
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message as Sent
from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import Field as Limits
from pydantic import TypeAdapter, ValidationError

from synapse_bridge.contract import (
    Constraints,
    Contract,
    Field,
    ListOf,
    MapOf,
    Message,
    Nullable,
    Required,
    Scalar,
    Service,
    SetOf,
    TupleOf,
    Type,
)
from synapse_bridge.contract.types import parts, unrooted
from synapse_bridge.contract.wire import Element, Entry, Wrapped, inside, slot
from synapse_bridge.generate import proto_files, proto_imports
from synapse_bridge.generate.re2 import translated

Limited = tuple[Any, Type, st.SearchStrategy[Any]]
"""An annotation, its type in the contract, and values of which some fit."""

INTS = st.integers(-20, 20) | st.sampled_from((-(2**63), 2**63 - 1))
FLOATS = st.floats(-20, 20) | st.sampled_from((float("nan"), float("inf"), -float("inf"), -0.0))
TEXTS = st.text(st.sampled_from("aZ09 _-é٣߀ǅⒶ\n\u2028\u200d𝟘"), max_size=6)
PATTERNS = (
    r"^\d+$", r"\w", r"^\S+$", r"[\d_]", r"[^\w\s]", r"^[a-z]{1,3}$", r"a|Z$", r"\D\W?", r"(?:é)+",
    r"^.$", r"[\-\]]", r"\z", r"\.", r"(?i)a", r"\bz", r"[a&&b]", r"\p{Lu}",
)  # fmt: skip


def some(**limits: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the limits, perhaps none."""
    return st.fixed_dictionaries({}, optional=limits)


def limited(base: Any, kind: Any, limits: Any, values: st.SearchStrategy[Any]) -> Any:
    return st.builds(
        lambda found: (
            Annotated[base, Limits(**found)],
            Scalar(kind, Constraints(**found)),
            values,
        ),
        limits,
    )


SIZES = st.integers(0, 4)
SCALARS: st.SearchStrategy[Limited] = st.one_of(
    limited(
        int,
        "int64",
        some(ge=INTS, gt=INTS, le=INTS, lt=INTS, multiple_of=st.integers(1, 7)),
        INTS,
    ),
    limited(
        float,
        "double",
        some(ge=st.floats(-9, 9), gt=st.floats(-9, 9), le=st.floats(-9, 9), lt=st.floats(-9, 9)),
        FLOATS,
    ),
    limited(
        str,
        "string",
        some(min_length=SIZES, max_length=SIZES, pattern=st.sampled_from(PATTERNS)),
        TEXTS,
    ),
    limited(bytes, "bytes", some(min_length=SIZES, max_length=SIZES), st.binary(max_size=5)),
)


def nested(inner: st.SearchStrategy[Limited]) -> st.SearchStrategy[Limited]:
    sizes = some(min_length=SIZES, max_length=SIZES)

    def list_of(item: Limited, found: dict[str, Any]) -> Limited:
        annotation: Any = Annotated[GenericAlias(list, (item[0],)), Limits(**found)]
        return annotation, ListOf(item[1], Constraints(**found)), st.lists(item[2], max_size=4)

    def dict_of(item: Limited, found: dict[str, Any]) -> Limited:
        annotation: Any = Annotated[GenericAlias(dict, (str, item[0])), Limits(**found)]
        type_ = MapOf(Scalar("string"), item[1], Constraints(**found))
        return annotation, type_, st.dictionaries(TEXTS, item[2], max_size=3)

    def tuple_of(one: Limited, other: Limited) -> Limited:
        annotation = GenericAlias(tuple, (one[0], other[0]))
        return annotation, TupleOf((one[1], other[1])), st.tuples(one[2], other[2])

    def optional(item: Limited) -> Limited:
        if isinstance(item[1], Nullable):
            return item
        return item[0] | None, Nullable(item[1]), st.none() | item[2]

    return st.one_of(
        st.builds(list_of, inner, sizes),
        st.builds(dict_of, inner, sizes),
        st.builds(tuple_of, inner, inner),
        st.builds(optional, inner),
    )


LIMITED: st.SearchStrategy[Limited] = st.recursive(SCALARS, nested, max_leaves=3)


def contract_of(types: list[Type]) -> Contract:
    fields = tuple(
        Field(f"f{number}", number, type_, Required(), "", f"f{number}", f"f{number}")
        for number, type_ in enumerate(types, 1)
    )
    message = Message("m.M", "M", "Shop.M", "model", fields, "", "m")
    service = Service("m", "shop.v1", "ShopService", "Shop", "shop", "", ())
    return Contract(service, (message,), ())


def message_class(contract: Contract) -> type[Sent]:
    """The message as a foreign client has it, from the generated ``.proto``."""
    with tempfile.TemporaryDirectory() as folder:
        files = proto_files.emit(contract, flat=True) | proto_imports.shipped(contract)
        for name, text in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        known = resources.files("grpc_tools") / "_proto"
        out = Path(folder, "set")
        options = [f"-I{folder}", f"-I{known}", "--include_imports", f"--descriptor_set_out={out}"]
        assert protoc.main(["protoc", *options, "shop.proto"]) == 0
        found = FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for each in found.file:
        pool.Add(each)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.v1.M"))


class Client:
    """What checks messages of a contract before it sends them."""

    def __init__(self, *types: Type) -> None:
        self.message = message_class(contract_of([*types]))
        # Its own, for a validator remembers messages by their names.
        self._validator = protovalidate.Validator()

    def refuses(self, **fields: Any) -> list[str]:
        """The names of the fields that are refused."""
        found = self._validator.collect_violations(self.message(**fields))
        places = (violation.proto.field for violation in found)
        return [place.elements[0].field_name for place in places if place is not None]


def sent(type_: Type, value: Any) -> Any:
    """What a field of that type holds on the wire; ``None`` where it is absent."""
    plain = unrooted(type_)
    shape = slot(plain, Required())
    if isinstance(plain, Nullable):
        return None if value is None else put(shape.element, value)
    if shape.label == "repeated":
        assert isinstance(plain, ListOf | SetOf)
        return [put(shape.element, one) for one in value]
    if shape.label == "map":
        return {key: put(shape.element, one) for key, one in value.items()}
    return put(shape.element, value)


def put(one: Element, value: Any) -> Any:
    match one:
        case Wrapped(inner):
            ((name, _),) = inside(one)
            found = sent(inner, value)
            return {} if found is None else {name: found}
        case TupleOf(items):
            found = [sent(item, part) for item, part in zip(items, value, strict=True)]
            return {f"item_{n}": part for n, part in enumerate(found, 1) if part is not None}
        case Entry():
            raise AssertionError("string keys need none")
        case _:
            return value


def exact(type_: Type) -> bool:
    """Whether the rules say all that the constraints do; a pattern may be left to the server."""
    if isinstance(type_, Scalar):
        pattern = type_.constraints.pattern
        return pattern is None or translated(pattern) is not None
    return all(map(exact, parts(type_).values()))


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(LIMITED, min_size=4, max_size=8), st.data())
def test_it_agrees_with_pydantic(limited: list[Limited], data: st.DataObject) -> None:
    client = Client(*(type_ for _, type_, _ in limited))
    for number, (annotation, type_, values) in enumerate(limited, 1):
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        for value in data.draw(st.lists(values, min_size=4, max_size=4)):
            field = sent(type_, value)
            name = f"f{number}"
            refused = name in client.refuses(**({} if field is None else {name: field}))
            accepted = _accepts(adapter, value)
            if accepted or exact(type_):
                assert accepted != refused, (annotation, value)


def _accepts(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def test_what_is_required_must_be_sent() -> None:
    client = Client(Scalar("int64"), Nullable(Scalar("int64")))
    assert client.refuses() == ["f1"]
    assert client.refuses(f1=0) == []


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("^[a-z]+$", "^[a-z]+$"),
        (r"\d{3}", r"[\p{Nd}]{3}"),
        (r"[^\d_]", r"[^\p{Nd}_]"),
        (r"a\/b", "a/b"),
        (r"\bx", None),
        (r"(?i)x", None),
        (r"[a&&b]", None),
        (r"[\W]", None),
        (r"\p{L}", None),
        ("(?P<x>a)", None),
    ],
)
def test_patterns_that_re2_reads_otherwise_are_left_out(pattern: str, meant: str) -> None:
    assert translated(pattern) == meant


def test_bounds_the_wrong_way_round_allow_nothing() -> None:
    client = Client(Scalar("int64", Constraints(gt=5, lt=3)))
    assert [client.refuses(f1=value) for value in (0, 4, 9)] == [["f1"]] * 3


def test_the_items_of_a_tuple_must_be_sent() -> None:
    client = Client(Nullable(TupleOf((Scalar("int64"), Nullable(Scalar("int64"))))))
    assert client.refuses(f1={"item_1": 0}) == []
    assert client.refuses(f1={"item_2": 0}) == ["f1"]


def test_a_contract_without_rules_imports_nothing() -> None:
    message = Message("m.M", "M", "Shop.M", "model", (), "", "m")
    service = Service("m", "shop.v1", "ShopService", "Shop", "shop", "", ())
    contract = Contract(service, (message,), ())
    assert "import" not in "".join(proto_files.emit(contract).values())
