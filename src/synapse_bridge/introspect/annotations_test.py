"""Annotations become types, or are refused with what to write instead."""

from __future__ import annotations

import pytest

from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.types import (
    Constraints,
    EnumRef,
    ListOf,
    MapOf,
    MessageRef,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)
from synapse_bridge.introspect import introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write

PRELUDE = """
from __future__ import annotations
import collections, datetime, decimal, enum, pathlib, re, typing, uuid
from collections.abc import *
from dataclasses import dataclass
from math import inf
from typing import (Annotated, Any, Generic, List, Dict, Literal, NamedTuple, NewType, Optional,
    TypedDict, TypeVar, Union)
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MinLen, MultipleOf, Predicate
from pydantic import *
from typing_extensions import TypeAliasType

class Colour(enum.Enum):
    RED = "r"
    DARK_BLUE = "b"
class Item(BaseModel):
    n: int
@dataclass
class Point:
    x: float
Mode = Literal["on", "off"]
UserId = NewType("UserId", int)
Names = TypeAliasType("Names", list[str])
T = TypeVar("T")
Bound = TypeVar("Bound", bound=int)
Constrained = TypeVar("Constrained", str, Literal["a"])
Pairs = TypeAliasType("Pairs", list[tuple[T, T]], type_params=(T,))
Number = Union[int, float]
Tree = TypeAliasType("Tree", "int | list[Tree] | None")
Nest = TypeAliasType("Nest", "list[Nest]")
class Page(BaseModel, Generic[T]):
    items: list[T]
class Root(RootModel[int]): pass
class Folder(RootModel["dict[str, Folder]"]): pass
class Maybe(RootModel["int | None"]): pass
class Pair(NamedTuple):
    a: int
class Dictionary(TypedDict):
    a: int
class Bits(enum.Flag):
    A = 1
class Text(str): pass
class Plain: pass
class Attrs:
    __attrs_attrs__ = ()
class Odd(enum.Enum):
    A = (1, 2)
class Empty(enum.Enum): pass
class Broken(enum.Enum):
    A = "\\ud800"
"""
LINES = PRELUDE.count("\n")


def scalar(kind: str, **constraints: object) -> Scalar:
    return Scalar(kind, Constraints(**constraints))  # type: ignore[arg-type]  # tables of tests


INT, STR, FLOAT, ANY = scalar("int64"), scalar("string"), scalar("double"), scalar("any")


def result_type(read: Read, annotation: str) -> tuple[Type | None, str]:
    contract = read(f"{PRELUDE}\ndef f() -> {annotation}: ...\n")
    return contract.service.methods[0].result, contract.service.module


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("bool", scalar("bool")),
        ("int", INT),
        ("float", FLOAT),
        ("str", STR),
        ("bytes", scalar("bytes")),
        ("list[int]", ListOf(INT)),
        ("List[int]", ListOf(INT)),
        ("list[list[str]]", ListOf(ListOf(STR))),
        ("dict[str, int]", MapOf(STR, INT)),
        ("Dict[int, list[str]]", MapOf(INT, ListOf(STR))),
        ("dict[bool, float]", MapOf(scalar("bool"), FLOAT)),
        ("int | None", Nullable(INT)),
        ("None | int", Nullable(INT)),
        ("Optional[list[int | None]]", Nullable(ListOf(Nullable(INT)))),
        ("Union[int, None]", Nullable(INT)),
        ("Optional[Optional[int]]", Nullable(INT)),
        ("UserId", INT),
        ("Names", ListOf(STR)),
        ("dict[UserId, Names]", MapOf(INT, ListOf(STR))),
        ("'list[int]'", ListOf(INT)),
        ("tuple[int, ...]", ListOf(INT, python="tuple")),
        ("collections.deque[int]", ListOf(INT, python="deque")),
        ("MutableSequence[int]", ListOf(INT)),
        ("Sequence[int]", ListOf(INT, python="Sequence")),
        ("typing.Sequence[int]", ListOf(INT, python="Sequence")),
        ("Iterable[int]", ListOf(INT, python="Iterable")),
        ("set[int]", SetOf(INT)),
        ("MutableSet[int]", SetOf(INT)),
        ("frozenset[int]", SetOf(INT, python="frozenset")),
        ("Set[int]", SetOf(INT, python="Set")),
        ("tuple[int, str]", TupleOf((INT, STR))),
        ("tuple[()]", TupleOf(())),
        ("tuple[list[int], int | None]", TupleOf((ListOf(INT), Nullable(INT)))),
        ("Mapping[str, int]", MapOf(STR, INT, python="Mapping")),
        ("MutableMapping[str, int]", MapOf(STR, INT, python="Mapping")),
        ("collections.defaultdict[str, int]", MapOf(STR, INT, python="defaultdict")),
        ("collections.OrderedDict[str, int]", MapOf(STR, INT, python="OrderedDict")),
        ("collections.Counter[str]", MapOf(STR, INT, python="Counter")),
        ("dict[float, int]", MapOf(FLOAT, INT)),
        ("dict[tuple[int, str], int]", MapOf(TupleOf((INT, STR)), INT)),
        ("list", ListOf(ANY)),
        ("tuple", ListOf(ANY, python="tuple")),
        ("set", SetOf(ANY)),
        ("dict", MapOf(STR, ANY)),
        ("T", ANY),
        ("Bound", INT),
        ("Constrained", STR),
        ("Json[int]", INT),
        ("Annotated[int, PlainSerializer(str)]", INT),
        ("str | Literal['a', 'b']", STR),
        ("Literal['a'] | str | None", Nullable(STR)),
        ("int | int", INT),
        ("Annotated[int, Ge(0)] | Annotated[int, Le(-9)]", INT),
        ("Pairs[int]", ListOf(TupleOf((INT, INT)))),
        ("list['int']", ListOf(INT)),
        ("None", None),
    ],
)
def test_types_without_names(read: Read, annotation: str, expected: Type | None) -> None:
    assert result_type(read, annotation)[0] == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Annotated[int, Ge(0)]", scalar("int64", ge=0)),
        ("Annotated[int, Field(gt=0, lt=10)]", scalar("int64", gt=0, lt=10)),
        ("Annotated[int, Interval(ge=1, le=3)]", scalar("int64", ge=1, le=3)),
        ("Annotated[int, Ge(0), Ge(5)]", scalar("int64", ge=5)),
        ("Annotated[Annotated[int, Ge(0)], Le(9)]", scalar("int64", ge=0, le=9)),
        ("Annotated[int, Ge(1.0)]", scalar("int64", ge=1)),
        ("PositiveInt", scalar("int64", gt=0)),
        ("conint(ge=3, multiple_of=3)", scalar("int64", ge=3, multiple_of=3)),
        (
            "Annotated[float, Field(ge=0, allow_inf_nan=False)]",
            scalar("double", ge=0, allow_inf_nan=False),
        ),
        ("FiniteFloat", scalar("double", allow_inf_nan=False)),
        ("Annotated[float, Field(allow_inf_nan=True)]", scalar("double")),
        ("Annotated[decimal.Decimal, Field(ge=0)]", scalar("decimal")),
        (
            "Annotated[decimal.Decimal, Field(allow_inf_nan=True)]",
            scalar("decimal", allow_inf_nan=True),
        ),
        ("Annotated[float, Field(gt=0, lt=inf)]", scalar("double", gt=0)),
        ("Annotated[int, Field(ge=-inf)]", INT),
        ("Annotated[str, Len(1, 5)]", scalar("string", min_length=1, max_length=5)),
        ("constr(pattern='^a+$')", scalar("string", pattern="^a+$")),
        ("Annotated[bytes, MinLen(2)]", scalar("bytes", min_length=2)),
        ("Annotated[list[int], Len(1, 2)]", ListOf(INT, Constraints(min_length=1, max_length=2))),
        ("conlist(int, max_length=2)", ListOf(INT, Constraints(max_length=2))),
        ("list[Annotated[int, Ge(0)]]", ListOf(scalar("int64", ge=0))),
        ("Annotated[dict[str, int], MinLen(1)]", MapOf(STR, INT, Constraints(min_length=1))),
        ("dict[Annotated[str, MinLen(1)], int]", MapOf(scalar("string", min_length=1), INT)),
        ("Annotated[int | None, Ge(0)]", Nullable(scalar("int64", ge=0))),
        ("Annotated[int, Ge(0)] | None", Nullable(scalar("int64", ge=0))),
        ("Annotated[UserId, Ge(0)]", scalar("int64", ge=0)),
        ("Annotated[int, 'metres', Predicate(bool)]", INT),
        ("Annotated[int, Strict]", INT),
        ("Annotated[int, Ge(0), AfterValidator(abs), Le(5)]", scalar("int64", ge=0)),
        ("Annotated[int, BeforeValidator(abs), Ge(0)]", INT),
        ("Annotated[list[Annotated[int, Ge(0)]], BeforeValidator(list)]", ListOf(INT)),
        ("constr(strip_whitespace=True, max_length=3)", STR),
        ("Annotated[str, Field(pattern=re.compile('(?i)a'))]", STR),
        ("Annotated[int, Ge(0), Le(2**64-1)]", scalar("uint64", ge=0, le=2**64 - 1)),
        ("Annotated[int, Gt(-1), Lt(2**64)]", scalar("uint64", gt=-1, lt=2**64)),
        ("Annotated[int, Ge(0), Le(2**63-1)]", scalar("int64", ge=0, le=2**63 - 1)),
        (
            "dict[Annotated[int, Ge(0), Le(2**64-1)], str]",
            MapOf(scalar("uint64", ge=0, le=2**64 - 1), STR),
        ),
    ],
)
def test_constraints_are_carried_where_they_hold_for_what_is_sent(
    read: Read, annotation: str, expected: Type
) -> None:
    assert result_type(read, annotation)[0] == expected


def test_classes_are_named(read: Read) -> None:
    for name, ref in (("Item", MessageRef), ("Point", MessageRef), ("Colour", EnumRef)):
        type_, module = result_type(read, name)
        assert type_ == ref(f"{module}.{name}")


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ("Mode", "Mode"),
        ("Literal['on', 'off']", "Mode"),
        ("list[Mode | None]", "Mode"),
        ("Literal['off', 'on']", "f.return"),
        ("Literal['on', 'off', 'auto']", "f.return"),
    ],
)
def test_a_literal_is_named_by_its_alias_or_by_its_place(
    read: Read, annotation: str, name: str
) -> None:
    contract = read(f"{PRELUDE}\ndef f() -> {annotation}: ...\n")
    assert [enum.name for enum in contract.enums] == [f"{contract.service.module}.{name}"]


def test_a_literal_with_none_is_nullable(read: Read) -> None:
    type_, module = result_type(read, "Literal['a', None]")
    assert type_ == Nullable(EnumRef(f"{module}.f.return"))


def test_two_literals_of_one_place_are_told_apart(read: Read) -> None:
    contract = read(f"{PRELUDE}\ndef f() -> dict[str, Literal[1]] | None: ...\n")
    assert [enum.name.partition(".")[2] for enum in contract.enums] == ["f.return"]


def test_a_literal_alias_that_modules_share_is_one_enum(write: Write) -> None:
    home = write("""
        from typing import Literal
        from pydantic import BaseModel
        Mode = Literal["on", "off"]
        class Lamp(BaseModel):
            mode: Mode
    """)
    user = write(f"""
        from {home} import Lamp, Mode
        def switch(lamp: Lamp, mode: Mode) -> Lamp: ...
    """)
    contract = introspect(user)
    assert [enum.elixir.rpartition(".")[2] for enum in contract.enums] == ["Mode"]


def members(contract: Contract, name: str) -> list[tuple[str, Type]]:
    union = contract.union(f"{contract.service.module}.{name}")
    return [(member.elixir, member.type) for member in union.members]


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ("int | str", "f.return"),
        ("list[int | str]", "f.return"),
        ("Number", "Number"),
        ("int | float", "Number"),
        ("Number | None", "Number"),
        ("Tree", "Tree"),
        ("Nest", "Nest"),
    ],
)
def test_a_union_is_named_by_its_alias_or_by_its_place(
    read: Read, annotation: str, name: str
) -> None:
    contract = read(f"{PRELUDE}\ndef f() -> {annotation}: ...\n")
    assert [union.name for union in contract.unions] == [f"{contract.service.module}.{name}"]


def test_members_are_tagged_by_their_kind(read: Read) -> None:
    written = "bool | int | float | list[int] | list[str] | Item | Colour | Literal['a'] | Pair"
    contract = read(f"{PRELUDE}\ndef f() -> {written}: ...\n")
    assert [tag for tag, _ in members(contract, "f.return")] == [
        *("bool", "int", "float", "list", "list_2", "item", "colour", "literal", "pair")
    ]


def test_nested_unions_are_opened_and_positions_say_where_python_has_them(read: Read) -> None:
    inner = "Annotated[int | None | str, Field(title='x')]"
    contract = read(f"{PRELUDE}\ndef f() -> Union[{inner}, Item, Literal['a', 7]]: ...\n")
    union = contract.unions[0]
    assert contract.service.methods[0].result == Nullable(UnionRef(union.name))
    assert [(m.elixir, m.positions) for m in union.members] == [
        ("int", ((0, 0), (2,))),
        ("str", ((0, 1), (2,))),
        ("item", ((1,),)),
    ]


def test_pydantic_opens_unions_below_a_discriminator(read: Read) -> None:
    contract = read(f"""{PRELUDE}
class A(BaseModel):
    kind: Literal["a"]
class B(BaseModel):
    kind: Literal["b", "c"]
class C(BaseModel):
    kind: Literal["d"]
def f() -> Annotated[Union[A, Annotated[Union[B, C], Field(discriminator="kind")]],
                     Field(discriminator="kind")]: ...
""")
    assert [m.positions for m in contract.unions[0].members] == [((0,),), ((1,),), ((2,),)]
    assert contract.unions[0].discriminator == "kind"


@pytest.mark.parametrize("first", ["Colour, Item", "Item, Colour"])
def test_numbers_do_not_depend_on_who_wrote_a_union_first(read: Read, first: str) -> None:
    """`typing` has one object for both orders, with that of the one that was made first."""
    contract = read(
        f"{PRELUDE}\nList[Union[{first}]]\nList[Union[{first}, str, int]]\n"
        "Pet = Union[Item, Colour]\n"
        "def f(a: List[Union[Item, str, int, Colour]], b: list[Item | str], c: List[Pet],\n"
        "      d: Pet, e: Dict[str, Union[Item, Literal['b', 'a']]]) -> None: ...\n"
    )
    module = contract.service.module
    found = {
        union.name.removeprefix(f"{module}."): [
            (member.name, member.number, member.positions, member.sign.removeprefix(f"{module}."))
            for member in union.members
        ]
        for union in contract.unions
    }
    assert found == {
        "Pet": [("item", 1, (), "Item"), ("colour", 2, (), "Colour")],
        "f.a": [
            ("int", 1, (), "int"),
            ("str", 2, (), "str"),
            ("colour", 3, (), "Colour"),
            ("item", 4, (), "Item"),
        ],
        "f.b": [("item", 1, ((0,),), ""), ("str", 2, ((1,),), "")],
        "f.e": [("item", 1, (), "Item"), ("literal", 2, (), "literal")],
    }


@pytest.mark.parametrize("key", ["SecretStr", "tuple[int, SecretBytes]"])
def test_a_secret_is_no_key(refuse: Refuse, key: str) -> None:
    """Paths of violations tell keys, to callers and in logs."""
    assert "a secret cannot be the key" in refuse(f"{PRELUDE}\ndef f() -> dict[{key}, int]: ...\n")


def test_what_only_its_order_tells_is_refused_where_there_is_none(refuse: Refuse) -> None:
    lists = "Union[list[dict[str, int]], list[dict[str, str]]]"
    text = refuse(f"{PRELUDE}\ndef f(a: List[{lists}]) -> None: ...\n")
    assert "alternatives `list` and `list_2` are told apart by their order only" in text
    assert 'TypeAliasType("Item", A | B)' in text
    alias = f'Item2 = TypeAliasType("Item2", {lists})'
    refused = refuse(f"{PRELUDE}\n{alias}\ndef f(a: List[Item2], b): ...\n")
    assert "order" not in refused


@pytest.mark.parametrize(
    "lists", ["list[float], list[list[float]]", "list[list[float]], list[float]"]
)
def test_lists_are_told_apart_by_their_items(read: Read, lists: str) -> None:
    hint = f"List[Union[{lists}]]"
    contract = read(f"{PRELUDE}\n{hint}\ndef f(a: {hint}) -> None: ...\n")
    (union,) = contract.unions
    found = [(one.name, one.type, one.sign) for one in union.members]
    floats = ListOf(Scalar("double"))
    assert found == [("list", floats, "list(float)"), ("list_2", ListOf(floats), "list(list)")]


def test_a_class_with_a_schema_is_told_by_that(read: Read, refuse: Refuse) -> None:
    sku = """
class Sku(str):
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
"""
    contract = read(
        f"{PRELUDE}\nfrom pydantic_core import core_schema\n{sku}\n"
        "def f(a: List[Union[int, Sku]]) -> None: ...\n"
    )
    assert [one.sign for one in contract.unions[0].members] == ["int", "=str"]
    refused = refuse(
        f"{PRELUDE}\nfrom pydantic_core import core_schema\n{sku}\n"
        "def f(a: List[Union[str, Sku]]) -> None: ...\n"
    )
    assert "told apart by their order only" in refused


def test_recursive_aliases_are_unions(read: Read) -> None:
    contract = read(f"{PRELUDE}\ndef f(a: Tree) -> Nest: ...\n")
    module = contract.service.module
    tree = Nullable(UnionRef(f"{module}.Tree"))
    assert members(contract, "Tree") == [("int", INT), ("list", ListOf(tree))]
    assert members(contract, "Nest") == [("list", ListOf(UnionRef(f"{module}.Nest")))]


def test_a_generic_root_model_has_a_name_that_protobuf_has_too(read: Read, refuse: Refuse) -> None:
    contract = read(f"{PRELUDE}\ndef f(a: RootModel[Union[int, List[str]]]) -> None: ...\n")
    assert [union.proto for union in contract.unions] == ["RootModelUnionIntListStr"]
    contract = read(f"{PRELUDE}\ndef f(a: RootModel[Union[int, str]] | float) -> None: ...\n")
    assert "root_model" in [member.name for one in contract.unions for member in one.members]
    own = 'V = TypeVar("V")\nclass Own(RootModel[V], Generic[V]): pass\n'
    text = refuse(f"{PRELUDE}\n{own}\ndef f(a: Own[int] | str) -> None: ...\n")
    assert "`Own[int]` is a generic RootModel in a union" in text


def test_a_root_model_is_what_it_holds(read: Read) -> None:
    root, module = result_type(read, "Root")
    assert root == RootOf(f"{module}.Root", module, INT)


def test_a_recursive_root_model_is_a_union(read: Read) -> None:
    contract = read(f"{PRELUDE}\ndef f() -> Folder: ...\n")
    module = contract.service.module
    folder = RootOf(f"{module}.Folder", module, UnionRef(f"{module}.Folder"))
    assert contract.service.methods[0].result == folder
    assert members(contract, "Folder") == [("dict", MapOf(STR, folder))]


def test_generic_models_have_a_message_for_each_list_of_arguments(read: Read) -> None:
    contract = read(f"{PRELUDE}\ndef f(a: Page[int], b: Page[list[Item]]) -> Page: ...\n")
    module = contract.service.module
    messages = {m.name: m for m in contract.messages if "Page" in m.name}
    assert {name: m.proto for name, m in messages.items()} == {
        f"{module}.Page": "Page",
        f"{module}.Page[int]": "PageOfInt64",
        f"{module}.Page[list[{module}.Item]]": "PageOfListOfItem",
    }
    assert messages[f"{module}.Page[int]"].fields[0].type == ListOf(INT)
    assert messages[f"{module}.Page"].fields[0].type == ListOf(ANY)


@pytest.mark.parametrize(
    ("argument", "name", "proto"),
    [
        ("int", "int", "Int64"),
        ("Annotated[int, BigInt]", "bigint", "BigInt"),
        ("Annotated[int, Interval(ge=0, le=2**64 - 1)]", "uint64", "Uint64"),
        ("datetime.datetime", "datetime.datetime", "Datetime"),
        ("NaiveDatetime", "naive_datetime", "NaiveDatetime"),
        ("EmailStr", "email", "Email"),
        ("list[int]", "list[int]", "ListOfInt64"),
        ("tuple[int, ...]", "tuple[int, ...]", "TupleOfManyInt64"),
        ("frozenset[int]", "frozenset[int]", "FrozensetOfInt64"),
        ("Mapping[str, int]", "collections.abc.Mapping[str, int]", "MappingOfStringInt64"),
        ("Root", "{m}.Root", "Root"),
        ("Bits", "{m}.Bits", "Bits"),
    ],
)
def test_generic_models_are_named_after_what_their_arguments_are(
    read: Read, argument: str, name: str, proto: str
) -> None:
    contract = read(
        f"{PRELUDE}\nfrom synapse_bridge import BigInt\n"
        f"def f(a: Page[{argument}], b: Page[str]) -> Page[{argument}]: ...\n"
    )
    module = contract.service.module
    messages = {m.name: m.proto for m in contract.messages if m.name.startswith(f"{module}.Page")}
    assert messages == {
        f"{module}.Page[{name.format(m=module)}]": f"PageOf{proto}",
        f"{module}.Page[str]": "PageOfString",
    }


def test_generic_models_with_arguments_that_travel_alike_are_one(read: Read) -> None:
    contract = read(
        f"{PRELUDE}\ndef f(a: Page[AnyUrl], b: Page[PositiveInt]) -> Page[HttpUrl]: ...\n"
    )
    protos = [m.proto for m in contract.messages if "Page" in m.name]
    assert protos == ["PageOfInt64", "PageOfUrl"]


def test_generic_models_whose_arguments_differ_in_constraints_are_refused(refuse: Refuse) -> None:
    text = refuse(f"{PRELUDE}\ndef f(a: Page[int]) -> Page[Annotated[int, Field(gt=0)]]: ...\n")
    assert "two classes `m.Page[int]`, whose arguments differ in constraints only" in text
    assert "`class SomePage(Page[…]): ...`" in text


def test_enums_may_have_any_values(read: Read) -> None:
    contract = read(f"{PRELUDE}\ndef f(a: Odd) -> Literal[Colour.RED, b'x']: ...\n")
    odd = next(enum for enum in contract.enums if enum.proto == "Odd")
    literal = next(enum for enum in contract.enums if enum.role == "literal")
    assert [member.value for member in odd.members] == ["A"]
    assert [(m.name, m.of.rpartition(".")[2]) for m in literal.members] == [
        ("RED", "Colour"),
        ("x", "bytes"),
    ]


REFUSED = {
    "list[Iterator[int]]": "a stream is a whole result",
    "AsyncIterator[int] | None": "a stream is a whole result",
    "list[Generator[int, None, None]]": "a stream is a whole result",
    "Awaitable[int]": "async def",
    "Callable[[int], int]": "the data that the callable would need",
    "memoryview": "`bytes`",
    "complex": "two floats",
    "re.Pattern[bytes]": "`str`",
    "typing.LiteralString": "`str`",
    "BaseModel": "name the model",
    "Text": "`str`",
    "Maybe | None": "let only one of the two be `None`",
    "Maybe | str | None": "let only one of the two be `None`",
    "Plain": "write one with the data that it holds",
    "Attrs": "write a dataclass or a BaseModel",
    "Empty": "at least one",
    "Broken": "drop it",
    "Literal['\\ud800']": "drop it",
    "Literal['1', 1]": "leave one out",
    f"Literal['{'x' * 256}']": "shorten it",
    "Literal[1, True]": "leave one out",
    "Literal[None]": "",
    "type[int]": "",
    "Base64Bytes": "convert in the function",
    "SkipValidation[int]": "convert in the function",
    "Annotated[int, Field(ge=0, le=2**70)]": "2**64-1",
    "Annotated[int, Field(le=2**64-1)]": "2**64-1",
    "Annotated[int, Field(ge=-2**70)]": "2**64-1",
    "Annotated[int, Field(le=10**400)]": "2**64-1",
}


@pytest.mark.parametrize("nested", ["{}", "list[{}]", "dict[str, {}]"])
@pytest.mark.parametrize(("annotation", "instead"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_cross_is_refused_with_its_place_and_a_way_out(
    refuse: Refuse, annotation: str, instead: str, nested: str
) -> None:
    written = nested.format(annotation)
    message = refuse(f"{PRELUDE}\ndef f(good: int,\n      bad: {written}) -> int: ...\n")
    assert f"m.py:{LINES + 3}: parameter `bad` of `f`: `{written}`" in message
    assert "→" in message
    assert instead in message


def test_pydantic_has_the_last_word_on_constraints(refuse: Refuse) -> None:
    message = refuse("""
        from typing import Annotated
        from pydantic import Field
        def f(x: Annotated[str, Field(pattern="(")]) -> None: ...
    """)
    assert "m.py:4: parameter `x` of `f`" in message
    assert "regex parse error" in message


def test_a_generic_model_that_holds_itself_has_one_message_for_its_arguments(read: Read) -> None:
    contract = read(
        """
        from typing import Generic, TypeVar
        from pydantic import BaseModel

        T = TypeVar("T")

        class Tree(BaseModel, Generic[T]):
            leaf: T
            branches: list["Tree[T]"] = []

        def plain(tree: Tree[int]) -> Tree[int]: ...
        def several(tree: Tree[int | str]) -> Tree[int | str]: ...
        """
    )
    trees = [message for message in contract.messages if ".Tree[" in message.name]
    assert len(trees) == 2
    for tree in trees:
        assert tree.fields[1].type == ListOf(MessageRef(tree.name))
