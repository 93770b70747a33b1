"""The contract as JSON: stable, complete, and a JSON Schema that says the same as the types."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field as Limits
from pydantic import TypeAdapter, ValidationError

from synapse_bridge.contract import schema
from synapse_bridge.contract.model import (
    Contract,
    Docstring,
    Dynamic,
    Enum,
    EnumMember,
    Field,
    Literally,
    Message,
    Method,
    Parameter,
    Required,
    Reserved,
    Service,
    Streamed,
)
from synapse_bridge.contract.schema import (
    ContractError,
    contract_hash,
    document_schema,
    from_json,
    method_hash,
    to_json,
)
from synapse_bridge.contract.schema_write import type_schema
from synapse_bridge.contract.types import (
    Constraints,
    EnumRef,
    ListKind,
    ListOf,
    MapKind,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    ScalarKind,
    SetKind,
    SetOf,
    TupleOf,
    Type,
)
from synapse_bridge.introspect import introspect

TESTDATA = Path(__file__).parents[1] / "introspect" / "testdata"

# Contracts of any shape.

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
CLASS = st.from_regex(r"[A-Z][A-Za-z0-9]{0,8}", fullmatch=True)
NUMBER = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


LIMITS = st.builds(
    Constraints,
    ge=optional(NUMBER),
    gt=optional(NUMBER),
    le=optional(NUMBER),
    lt=optional(NUMBER),
    multiple_of=optional(st.integers(1, 99)),
)
LENGTHS = st.builds(
    Constraints, min_length=optional(st.integers(0, 9)), max_length=optional(st.integers(0, 9))
)
# JSON Schema wants patterns to be regular expressions, in the syntax that Python shares.
TEXTUAL = st.builds(replace, LENGTHS, pattern=optional(TEXT.map(re.escape)))
NUMERIC = st.builds(Scalar, st.sampled_from(["int64", "uint64", "double"]), LIMITS)
STRING = st.builds(Scalar, st.just("string"), TEXTUAL)
OTHER = st.sampled_from(
    [Scalar(kind) for kind in get_args(ScalarKind) if kind not in ("int64", "uint64", "double")]
)
SCALAR = st.one_of(OTHER, NUMERIC, STRING, st.builds(Scalar, st.just("bytes"), LENGTHS))
KEY = st.one_of(
    st.just(Scalar("bool")),
    STRING,
    st.builds(Scalar, st.sampled_from(["int64", "uint64"]), LIMITS),
)
LEAF = st.one_of(
    SCALAR, st.builds(MessageRef, st.just("m.A/b~c.D")), st.builds(EnumRef, st.just("m.E #%"))
)


def containers(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.one_of(
        st.builds(ListOf, inner, LENGTHS, st.sampled_from(get_args(ListKind))),
        st.builds(SetOf, inner, LENGTHS, st.sampled_from(get_args(SetKind))),
        st.builds(TupleOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(MapOf, inner, inner, LENGTHS, st.sampled_from(get_args(MapKind))),
        st.builds(RootOf, st.just("m.Root"), st.just("m"), inner),
        st.builds(MapOf, KEY, inner, LENGTHS),
        st.builds(Nullable, inner.filter(lambda type_: not isinstance(type_, Nullable))),
    )


TYPE = st.recursive(LEAF, containers, max_leaves=5)
ENUM = Enum(
    "m.E #%",
    "E",
    "M.E",
    "literal",
    (
        EnumMember("one", 1, 1, "E_ONE", ":one", "A\ndoc."),
        EnumMember("True", True, 2, "E_TRUE", "true"),
        EnumMember("ä \"'", "text", 3, "E_VALUE_3", ':"ä"'),
    ),
    'Doc """ #{x}',
    "m",
)


def literals(type_: Type) -> st.SearchStrategy[Any]:
    """Literal defaults of a type, whether or not its constraints allow them."""
    match type_:
        case Nullable(inner):
            return st.none() | literals(inner)
        case ListOf(item):
            return st.builds(list) | st.lists(literals(item), min_size=1, max_size=2)
        case MapOf(_, value):
            return st.builds(dict) | st.dictionaries(TEXT, literals(value), min_size=1, max_size=2)
        case EnumRef():
            return st.sampled_from([member.name for member in ENUM.members])
        case Scalar("bool"):
            return st.booleans()
        case Scalar("double"):
            return st.floats(allow_nan=False, allow_infinity=False)
        case Scalar("int64" | "uint64"):
            return st.integers(-(2**63), 2**64 - 1)
        case Scalar("string"):
            return TEXT
        case _:
            return st.nothing()  # bytes and messages have none


@st.composite
def fields(draw: st.DrawFn) -> Field:
    type_ = draw(TYPE)
    default = draw(
        st.one_of(
            st.just(Required()),
            st.just(Dynamic()),
            st.just(Streamed()),
            st.builds(Literally, literals(type_)),
        )
    )
    name = draw(NAME)
    return Field(name, draw(st.integers(1, 2**29 - 1)), type_, default, draw(TEXT), name, name)


MESSAGE = st.builds(
    Message,
    name=st.just("m.A/b~c.D"),
    proto=CLASS,
    elixir=CLASS,
    role=st.sampled_from(["model", "dataclass", "error"]),
    fields=st.lists(fields(), max_size=4, unique_by=lambda field: field.name).map(tuple),
    doc=TEXT,
    module=NAME,
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
DOCSTRING = st.builds(
    Docstring,
    TEXT,
    TEXT,
    PAIRS,
    TEXT,
    PAIRS,
    st.lists(TEXT, max_size=2).map(tuple),
)
METHOD = st.builds(
    Method,
    name=NAME,
    function=NAME,
    proto=CLASS,
    elixir=NAME,
    request=st.just("m.f#request"),
    response=st.just("m.f#response"),
    parameters=st.lists(
        st.builds(
            Parameter,
            NAME,
            st.sampled_from(["positional", "keyword"]),
            st.sampled_from(["by_position", "by_name"]),
        ),
        max_size=3,
    ).map(tuple),
    result=st.none() | TYPE,
    is_async=st.booleans(),
    doc=DOCSTRING,
    source=TEXT,
    stream=optional(NAME),
    streams_result=st.booleans(),
    context=optional(NAME),
    timeout_ms=optional(st.integers(1, 10**9)),
    idempotent=st.booleans(),
    raises=st.sampled_from([(), ("m.A/b~c.D",)]),
)
CONTRACT = st.builds(
    Contract,
    st.builds(
        Service,
        module=NAME,
        proto_package=NAME,
        proto=CLASS,
        elixir=CLASS,
        stem=NAME,
        doc=TEXT,
        methods=st.lists(METHOD, max_size=2).map(tuple),
    ),
    st.tuples(MESSAGE),
    st.just((ENUM,)),
)


@settings(max_examples=40, deadline=None)  # validating against a metaschema is slow
@given(CONTRACT)
def test_every_contract_comes_back_as_it_was(contract: Contract) -> None:
    text = to_json(contract)
    again = from_json(text.encode())
    assert again == contract
    assert to_json(again) == text


@settings(max_examples=40, deadline=None)
@given(TYPE)
def test_every_type_is_a_json_schema(type_: Type) -> None:
    jsonschema.Draft202012Validator.check_schema(type_schema(type_))


def test_the_published_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(document_schema())


# What the schema of a type accepts is what pydantic accepts.

VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 12),
        st.floats(-3, 12).filter(lambda x: not x.is_integer()),
        st.text("ab1", max_size=4),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", max_size=2), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "annotation",
    [
        bool,
        int,
        float,
        str,
        int | None,
        list[int],
        dict[str, int | None],
        Annotated[int, Limits(ge=0, lt=9)],
        Annotated[int, Limits(gt=0, le=9, multiple_of=3)],
        Annotated[float, Limits(gt=0.5, le=9)],
        Annotated[str, Limits(min_length=1, max_length=3)],
        Annotated[str, Limits(pattern="^a+b?$")],
        Annotated[list[Annotated[int, Limits(ge=1)]], Limits(min_length=1, max_length=2)],
        Annotated[dict[Annotated[str, Limits(min_length=1)], int], Limits(max_length=1)],
        Annotated[int | None, Limits(ge=0)],
        list[list[str] | None],
    ],
    ids=str,
)
@settings(max_examples=50, deadline=None)
@given(value=VALUES)
def test_the_schema_of_a_type_accepts_what_pydantic_accepts(annotation: Any, value: Any) -> None:
    validator = jsonschema.Draft202012Validator(type_schema(_type_of(annotation)))
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
        accepted = True
    except ValidationError:
        accepted = False
    assert validator.is_valid(value) == accepted


def _type_of(annotation: Any) -> Type:
    from synapse_bridge.introspect.annotations import read_type
    from synapse_bridge.introspect.catalogue import Catalogue
    from synapse_bridge.introspect.context import Context
    from synapse_bridge.introspect.refusal import Place

    return read_type(annotation, Context(Catalogue(), Place("", 0, ""), "m", "x"))


def test_bytes_are_base64() -> None:
    schema = type_schema(Scalar("bytes", Constraints(min_length=1, max_length=2)))
    assert schema == {
        "type": "string",
        "contentEncoding": "base64",
        "x-synapse-min-length": 1,
        "x-synapse-max-length": 2,
    }
    assert jsonschema.Draft202012Validator(schema).is_valid(base64.b64encode(b"ab").decode())


# Real contracts.


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Contract:
    monkeypatch.syspath_prepend(TESTDATA)
    return introspect("orders")


def test_the_contract_of_a_real_module_is_stable_to_the_byte(orders: Contract) -> None:
    golden = (TESTDATA / "orders.contract.json").read_text("utf-8")
    assert to_json(orders) == golden
    assert from_json(golden) == orders


def test_a_large_contract_has_a_line_for_each_definition(
    orders: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = sorted(one.name for one in orders.named())
    monkeypatch.setattr(schema, "MOST_LINES", len(named))
    text = to_json(orders)
    assert from_json(text) == orders
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    assert [line.split('"')[1] for line in lines] == named


def test_a_larger_one_has_a_line_for_each_module(
    orders: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [*orders.named()]
    monkeypatch.setattr(schema, "MOST_LINES", len(named) - 1)
    text = to_json(orders)
    assert from_json(text) == orders
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    (of_module,) = [line for line in lines if '"orders.Order":' in line]
    assert len(lines) < len(named)
    assert '"orders.Priority":' in of_module


def test_a_value_of_a_model_fits_the_schema_of_its_message(orders: Contract) -> None:
    module = sys.modules[orders.service.module]
    document = json.loads(to_json(orders))
    schema = {"$ref": "#/$defs/orders.Order", "$defs": document["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    order = module.Order(
        items=[module.Item(sku="ABC", price=module.Money(amount=1), blob=b"")],
        coupon=None,
        by_number={1: module.Item(sku="ABC", price=module.Money(amount=1))},
        flags={True: 1},
    )
    value = order.model_dump(mode="json")
    validator.validate(value)
    changes: list[dict[str, Any]] = [
        {"items": []},
        {"coupon": 1},
        {"channel": "fax"},
        {"by_number": {"x": value["items"][0]}},
        {"flags": {"maybe": 1}},
        {"typo": 1},
    ]
    for change in changes:
        assert not validator.is_valid(value | change), change


def test_defaults_fit_their_own_schemas(orders: Contract) -> None:
    document = json.loads(to_json(orders))
    for definition in document["$defs"].values():
        for field in definition.get("properties", {}).values():
            if "default" in field:
                schema = {**field, "$defs": document["$defs"]}
                jsonschema.Draft202012Validator(schema).validate(field["default"])


# What is not a contract.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("[]", "it has no `x-synapse-contract`"),
        ("{}", "it has no `x-synapse-contract`"),
        ('{"x-synapse-contract": 2}', "a contract of version 2, and this is version 1"),
        ('{"x-synapse-contract": 1}', "at $: "),
        (b"\xff", "it is not JSON"),
    ],
)
def test_what_is_no_contract_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        from_json(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("x-synapse-service", "proto"), "not a name"),
        (("x-synapse-service", "methods", 0, "parameters", 0, "kind"), "odd"),
        (("x-synapse-service", "methods", 0, "request"), {}),
        (("$defs", "orders.Money", "x-synapse-message", "role"), "odd"),
        (("$defs", "orders.Money", "properties", "amount", "type"), "integr"),
        (("$defs", "orders.Money", "properties", "amount", "minimum"), "0"),
        (("$defs", "orders.Money", "properties", "amount", "x-synapse-field", "number"), 0),
        (("$defs", "orders.Money", "properties", "amount", "x-synapse-field"), {}),
        (("$defs", "orders.Money", "properties", "amount"), True),
        (("$defs", "orders.Currency", "enum"), []),
        (("$defs", "orders.Order", "properties", "grid", "items"), {"type": "tuple"}),
    ],
)
def test_a_damaged_contract_is_refused_with_the_place(
    orders: Contract, path: tuple[str | int, ...], value: Any
) -> None:
    document = json.loads(to_json(orders))
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    with pytest.raises(ContractError, match=r"at \$"):
        from_json(json.dumps(document))


# The hash.


def test_the_hash_covers_what_crosses_the_wire_and_nothing_else(orders: Contract) -> None:
    before = contract_hash(orders)
    assert len(before) == 16
    assert int(before, 16) >= 0
    assert contract_hash(from_json(to_json(orders))) == before

    first = orders.messages[0]
    field = first.fields[0]
    enum = orders.enums[0]
    renumbered = [replace(member, number=member.number + 1) for member in enum.members]

    def changed(**changes: Any) -> Contract:
        message = replace(first, fields=(replace(field, **changes), *first.fields[1:]))
        return replace(orders, messages=(message, *orders.messages[1:]))

    for same in (
        changed(doc="Other."),
        changed(elixir="other"),
        replace(orders, messages=(replace(first, doc="Other."), *orders.messages[1:])),
        replace(orders, service=replace(orders.service, doc="Other.", elixir="Other")),
        replace(
            orders,
            messages=(replace(first, fields=tuple(reversed(first.fields))), *orders.messages[1:]),
        ),
        replace(
            orders,
            service=replace(orders.service, methods=tuple(reversed(orders.service.methods))),
        ),
        moved_to_another_module(orders),
        with_method(orders, timeout_ms=5000, idempotent=True, context="context"),
    ):
        assert contract_hash(same) == before
    for other in (
        changed(number=99),
        changed(name="other"),
        changed(type=Scalar("bool")),
        changed(type=Scalar("string", Constraints(min_length=1))),
        changed(default=Dynamic()),
        replace(orders, service=replace(orders.service, proto="Other")),
        replace(orders, service=replace(orders.service, methods=orders.service.methods[1:])),
        with_method(orders, streams_result=True),
        with_method(orders, stream="order"),
        with_method(orders, raises=(first.name,)),
        replace(
            orders,
            enums=(replace(enum, members=tuple(renumbered)), *orders.enums[1:]),
        ),
    ):
        assert contract_hash(other) != before


def with_method(contract: Contract, **changes: Any) -> Contract:
    """The contract with another first method."""
    first, *others = contract.service.methods
    methods = (replace(first, **changes), *others)
    return replace(contract, service=replace(contract.service, methods=methods))


def test_a_methods_hash_covers_what_it_reaches_and_nothing_else(orders: Contract) -> None:
    def hashes(contract: Contract) -> dict[str, str]:
        return {m.name: method_hash(contract, m) for m in contract.service.methods}

    before = hashes(orders)
    assert all(len(found) == 8 and int(found, 16) >= 0 for found in before.values())
    changed = with_field(orders, "orders.Tree", number=99)
    differing = {name for name, found in hashes(changed).items() if found != before[name]}
    assert differing == {"walk"}
    changed = with_field(orders, "orders.Money", number=99)
    differing = {name for name, found in hashes(changed).items() if found != before[name]}
    assert differing == {"price", "find", "totals"}
    assert hashes(with_method(orders, timeout_ms=5, is_async=True)) == before
    fewer = replace(orders, service=replace(orders.service, methods=orders.service.methods[1:]))
    assert hashes(fewer).items() <= before.items()


def with_field(contract: Contract, message: str, **changes: Any) -> Contract:
    """The contract with another first field in a message."""
    messages = [
        replace(m, fields=(replace(m.fields[0], **changes), *m.fields[1:]))
        if m.name == message
        else m
        for m in contract.messages
    ]
    return replace(contract, messages=tuple(messages))


def moved_to_another_module(contract: Contract) -> Contract:
    """The same contract of a module that is called otherwise."""
    text = to_json(contract)
    for before, after in (
        ('"orders.', '"shop.orders.'),
        ("$defs/orders.", "$defs/shop.orders."),
        ('"module": "orders"', '"module": "shop.orders"'),
    ):
        text = text.replace(before, after)
    document = json.loads(text)
    service = document["x-synapse-service"]
    service["proto_package"] = contract.service.proto_package
    return from_json(json.dumps(document))


@given(CONTRACT)
@settings(max_examples=20)
def test_what_is_reserved_is_read_as_it_was_written(contract: Contract) -> None:
    reserved = (Reserved(7, "old"), Reserved(9, "older"))
    contract = replace(
        contract,
        messages=tuple(replace(message, reserved=reserved) for message in contract.messages),
        enums=tuple(replace(enum, reserved=reserved) for enum in contract.enums),
        unions=tuple(replace(union, reserved=reserved) for union in contract.unions),
    )
    assert from_json(to_json(contract)) == contract
