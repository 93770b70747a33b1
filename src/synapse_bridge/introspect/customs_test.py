"""Classes that travel as another type: by their schema, as flags, and as the configuration says."""

from __future__ import annotations

import re

import pytest

from synapse_bridge.contract.model import Annotation, Contract, Dynamic
from synapse_bridge.contract.types import (
    Constraints,
    Custom,
    ListOf,
    Nullable,
    Scalar,
    Type,
)
from synapse_bridge.introspect import IntrospectionError, Override, introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write

SOURCE = """
    import enum
    from dataclasses import dataclass
    from typing import Any
    from pydantic import BaseModel, ByteSize, GetCoreSchemaHandler, ImportString, Json, NameEmail
    from pydantic_core import core_schema

    class Permission(enum.Flag):
        READ = 1
        WRITE = 2

    class Huge(enum.Flag):
        LAST = 2**63

    class Sku(str):
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.no_info_after_validator_function(cls, handler(str))

    class Level(int):
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.no_info_after_validator_function(cls, handler(int))

    class Hidden:
        "Takes text, gives a number."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.no_info_after_validator_function(
                cls, core_schema.str_schema(),
                serialization=core_schema.plain_serializer_function_ser_schema(
                    len, return_schema=core_schema.int_schema()))

    class Unknown(str):
        "What a generated client has beside the members of an enum."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            made = core_schema.no_info_plain_validator_function(cls)
            return core_schema.lax_or_strict_schema(
                core_schema.chain_schema([core_schema.str_schema(), made]),
                core_schema.none_schema())

    class Degrees(float):
        "A float, or a decimal number as text."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.union_schema(
                [core_schema.float_schema(), core_schema.decimal_schema()])

    class Shape:
        "An object in JSON."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.union_schema(
                [core_schema.is_instance_schema(cls), handler(dict[str, int])],
                serialization=core_schema.plain_serializer_function_ser_schema(
                    vars, return_schema=handler(dict[str, int])))

    class Folder:
        "Takes anything, and has a function that makes something of it."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.no_info_wrap_validator_function(
                lambda value, inner: inner(value), core_schema.any_schema(),
                serialization=core_schema.plain_serializer_function_ser_schema(str))

    class Live:
        "Takes anything, and says nothing of what it gives."
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return core_schema.any_schema()

    class Broken:
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            raise RuntimeError("no")

    class Money:
        pass

    class Wallet(BaseModel):
        model_config = {"arbitrary_types_allowed": True}
        sku: Sku = Sku("a")
        money: Money | None = None
        size: ByteSize = ByteSize(1)

    def to_cents(money): return 1
    def to_money(cents): return Money()
    NUMBER = 5
"""


def result(contract: Contract) -> Type:
    type_ = contract.service.methods[0].result
    assert type_ is not None
    return type_


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("Sku", "string"),
        ("Level", "int64"),
        ("NameEmail", "string"),
        ("Unknown", "string"),
        ("Degrees", "any"),
        ("Shape", "any"),
        ("Folder", "any"),
    ],
)
def test_a_class_with_a_schema_is_what_it_takes_and_gives(
    read: Read, annotation: str, kind: str
) -> None:
    type_ = result(read(f"{SOURCE}\n    def f() -> list[{annotation}]: ..."))
    assert isinstance(type_, ListOf)
    custom = type_.item
    assert isinstance(custom, Custom)
    assert (custom.via, custom.inner, custom.is_class) == ("schema", Scalar(kind), True)  # type: ignore[arg-type] # it is one


def test_flags_are_a_number(read: Read) -> None:
    type_ = result(read(f"{SOURCE}\n    def f() -> Permission | None: ..."))
    assert isinstance(type_, Nullable)
    custom = type_.inner
    assert isinstance(custom, Custom)
    assert (custom.via, custom.inner) == ("flag", Scalar("int64"))


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("Hidden", "neither a BaseModel"),
        ("Broken", "neither a BaseModel"),
        ("Live", "neither a BaseModel"),
        ("Money", "`types`"),
        ("ImportString", "any module of the server imported"),
        ("Json", "annotate the value itself"),
        ("Huge", "more than 63 flags"),
    ],
)
def test_a_class_that_loses_something_is_refused(
    refuse: Refuse, annotation: str, reason: str
) -> None:
    assert reason in refuse(f"{SOURCE}\n    def f(x: {annotation}) -> None: ...")


FUNCTIONS = """
    def pay(money: Money, raw: int = 1) -> Money: ...
    def spend(wallet: Wallet) -> None: ...
"""


def configured(write: Write, **types: Override) -> tuple[Contract, str]:
    module = write(f"{SOURCE}\n{FUNCTIONS}")
    mapped = {
        f"{module}.{name}": Override(
            one.annotation,
            "synapse.yaml",
            7,
            one.to_wire.replace("m:", f"{module}:"),
            one.from_wire.replace("m:", f"{module}:"),
            one.elixir,
        )
        for name, one in types.items()
    }
    return introspect(module, ["pay", "spend"], overrides=mapped), module


CENTS = Override("Annotated[int, Ge(0)]", "", 0, "m:to_cents", "m:to_money", "MyApp.Money")


def test_a_class_is_converted_wherever_it_stands(write: Write) -> None:
    contract, module = configured(write, Money=CENTS)
    money = Custom(
        name=f"{module}.Money",
        module=module,
        inner=Scalar("int64", Constraints(ge=0)),
        via="converters",
        source="Annotated[int, Ge(0)]",
        to_wire=f"{module}:to_cents",
        from_wire=f"{module}:to_money",
        elixir="MyApp.Money",
    )
    assert result(contract) == money
    assert contract.message(f"{module}.pay#request").fields[0].type == money
    wallet = contract.message(f"{module}.Wallet")
    assert wallet.fields[1].type == Nullable(money)
    assert wallet.fields[0].default == wallet.fields[2].default == Dynamic()


def test_a_place_is_converted_alone(write: Write) -> None:
    places = {"pay.money": CENTS, "pay.return": Override("str"), "Wallet.money": Override("str")}
    contract, module = configured(write, **places)
    money, raw = contract.message(f"{module}.pay#request").fields
    assert isinstance(money.type, Custom)
    assert (money.type.name, money.type.is_class) == (f"{module}.pay.money", False)
    assert (money.annotation, raw.annotation) == (None, None)
    (answer,) = contract.message(f"{module}.pay#response").fields
    assert (answer.type, answer.annotation) == (Scalar("string"), Annotation("str", module))
    kept = contract.message(f"{module}.Wallet").fields[1]
    assert (kept.type, kept.annotation) == (Scalar("string"), Annotation("str", module))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (Override("int", "", 0, "m:to_cent", "m:to_money"), "says `m:to_cent`: module"),
        (Override("int", "", 0, "m:NUMBER", "m:to_money"), "`m:NUMBER`, which is no function"),
        (Override("int", "", 0, "nowhere:f", "m:to_money"), "No module named 'nowhere'"),
        (Override("int | None"), "not one value"),
        (Override("inte"), "name 'inte' is not defined"),
    ],
)
def test_a_mapping_that_does_not_work_is_told_with_its_place(
    write: Write, override: Override, words: str
) -> None:
    with pytest.raises(IntrospectionError) as caught:
        configured(write, Money=override)
    message = re.sub(r"module_\d+", "m", str(caught.value))
    assert "synapse.yaml:7" in message
    assert words in message
