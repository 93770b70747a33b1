"""Names in proto and Elixir: derived, kept apart, and refused where they meet."""

from __future__ import annotations

import re

import pytest

from synapse_bridge.contract.model import Contract
from synapse_bridge.introspect import IntrospectionError, Naming, introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write
from synapse_bridge.introspect.naming import service_names


def refused(write: Write, source: str, naming: Naming | None = None) -> str:
    name = write(source)
    with pytest.raises(IntrospectionError) as caught:
        introspect(name, naming=naming)
    return str(caught.value).replace(name, "m")


def elixir(contract: Contract) -> dict[str, str]:
    """Python name to Elixir module, of models and enums."""
    models = [(m.name, m.elixir) for m in contract.messages if m.module]
    enums = [(enum.name, enum.elixir) for enum in contract.enums]
    return {name.partition(".")[2]: elixir for name, elixir in (*models, *enums)}


def test_names_of_a_service_are_derived_from_the_module(write: Write) -> None:
    service = introspect(write("def f() -> None: ...")).service
    number = service.module.removeprefix("module_")
    assert (service.elixir, service.stem) == (f"Module{number}", f"module{number}")
    assert service.full_name == f"module{number}.v1.Module{number}Service"


def test_names_of_a_service_are_derived_from_the_elixir_module(write: Write) -> None:
    service = introspect(write("def f() -> None: ..."), naming=Naming("MyApp.OrderBook")).service
    assert service.stem == "my_app_order_book"
    assert service.full_name == "my_app.order_book.v1.OrderBookService"


def test_names_of_a_service_can_be_given(write: Write) -> None:
    naming = Naming("MyApp", "acme.orders.v2", "Desk", {"f": "call_me", "g": "h"})
    service = introspect(write("def f() -> None: ...\ndef g() -> None: ..."), naming=naming).service
    assert service.full_name == "acme.orders.v2.Desk"
    assert [m.elixir for m in service.methods] == ["call_me", "h"]
    assert [m.proto for m in service.methods] == ["F", "G"]


@pytest.mark.parametrize("name", ["my_app", "MyApp.", "My App", "", "MyApp.orders", "Ä"])
def test_an_elixir_module_must_be_one(write: Write, name: str) -> None:
    if name:
        assert f"`{name}` cannot be" in refused(write, "def f() -> None: ...", Naming(name))


@pytest.mark.parametrize("name", ["String", "Kernel", "Agent", "Crypto", "SynapseBridge"])
def test_a_client_must_not_replace_a_module_of_elixir(write: Write, name: str) -> None:
    text = refused(write, "def f() -> None: ...", Naming(name))
    assert f"`{name}` is taken by Elixir itself" in text
    assert f"--elixir-module MyApp.{name}" in text


def test_generated_python_must_not_hide_the_module() -> None:
    with pytest.raises(IntrospectionError, match="would hide yours"):
        service_names("shop_server", "", Naming("Shop"))


def test_reserved_words_get_an_underscore(read: Read) -> None:
    contract = read("""
        from pydantic import BaseModel
        class M(BaseModel):
            end: int
            Clear: int
            fn: int
            Name: int
            timeout: int
        def child_spec(m: M, timeout: int, *, rescue: int = 1, opts: int = 2) -> None: ...
        def case() -> None: ...
        def call() -> None: ...
    """)
    fields = contract.message(f"{contract.service.module}.M").fields
    assert [(f.name, f.proto, f.elixir) for f in fields] == [
        ("end", "end", "end_"),
        ("Clear", "clear", "clear"),
        ("fn", "fn", "fn_"),
        ("Name", "name", "name"),
        ("timeout", "timeout", "timeout"),
    ]
    method = contract.service.methods[0]
    assert [f.elixir for f in contract.message(method.request).fields] == [
        "m",
        "timeout_",
        "rescue_",
        "opts_",
    ]
    assert [m.elixir for m in contract.service.methods] == ["child_spec_", "case_", "call_"]


def test_a_configured_function_must_not_be_reserved(write: Write) -> None:
    naming = Naming("MyApp", functions={"f": "end"}, origin="synapse.yaml:3")
    text = refused(write, "def f() -> None: ...", naming)
    assert text == "synapse.yaml:3: `end` is reserved in Elixir\n  → call it `end_`"


def test_a_configured_function_must_exist(write: Write) -> None:
    naming = Naming("MyApp", functions={"prize": "p"}, origin="synapse.yaml:3")
    text = refused(write, "def price() -> None: ...", naming)
    assert text == (
        "synapse.yaml:3: `functions` has `prize`, which does not exist\n  → did you mean `price`?"
    )


def test_models_may_be_called_like_modules_of_elixir(read: Read) -> None:
    contract = read("""
        from pydantic import BaseModel
        class String(BaseModel):
            x: int
        class Kernel(BaseModel):
            map: String
        class none(BaseModel):
            kernel: Kernel
        def f(x: none) -> None: ...
    """)
    root = contract.service.elixir
    assert elixir(contract) == {
        "String": f"{root}.String",
        "Kernel": f"{root}.Kernel",
        "none": f"{root}.None_",
    }


def test_a_model_may_be_called_like_a_request(read: Read) -> None:
    contract = read("""
        from pydantic import BaseModel
        class PriceRequest(BaseModel):
            x: int
        def price(x: PriceRequest) -> None: ...
    """)
    protos = sorted(m.proto for m in contract.messages)
    assert protos == [f"{contract.service.proto}PriceRequest", "PriceRequest", "PriceResponse"]


def test_classes_of_one_name_get_their_modules_in_front_of_it(write: Write) -> None:
    source = "from pydantic import BaseModel\nclass Order(BaseModel):\n    x: int\n"
    first, second = write(source), write(source)
    home = write(f"""
        import {first}, {second}
        def f(a: {first}.Order, b: {second}.Order) -> None: ...
    """)
    contract = introspect(home)
    assert sorted(m.proto for m in contract.messages if m.module) == sorted(
        f"{module.title().replace('_', '')}Order" for module in (first, second)
    )


def test_classes_whose_names_differ_in_case_only_get_their_modules_in_front_of_them(
    write: Write,
) -> None:
    """For their Elixir files would be one."""
    first = write("from pydantic import BaseModel\nclass URL(BaseModel):\n    x: int\n")
    second = write("from pydantic import BaseModel\nclass Url(BaseModel):\n    x: int\n")
    home = write(f"""
        import {first}, {second}
        def f(a: {first}.URL, b: {second}.Url) -> None: ...
    """)
    contract = introspect(home)
    assert sorted(m.proto for m in contract.messages if m.module) == sorted(
        (f"{first.title().replace('_', '')}URL", f"{second.title().replace('_', '')}Url")
    )


def test_a_class_of_the_services_own_module_keeps_its_name(write: Write) -> None:
    other = write("from pydantic import BaseModel\nclass Order(BaseModel):\n    x: int\n")
    home = write(f"""
        from pydantic import BaseModel
        import {other}
        class Order(BaseModel):
            x: int
        def f(a: Order, b: {other}.Order) -> None: ...
    """)
    contract = introspect(home)
    assert contract.message(f"{home}.Order").proto == "Order"
    assert contract.message(f"{other}.Order").proto == f"{other.title().replace('_', '')}Order"


def test_enum_values(read: Read) -> None:
    contract = read("""
        import enum
        from typing import Literal
        class HTTPStatus(enum.IntEnum):
            OK = 200
            NotFound = 404
            UNSPECIFIED = 0
            ALSO_OK = 200
            ö = 1
        Mixed = Literal["<", "<=", "in stock", "in-stock", 'a"b', 2, True]
        def f(a: HTTPStatus, b: Mixed) -> None: ...
    """)
    status, literal = contract.enums
    assert [(m.name, m.value, m.number, m.proto, m.elixir) for m in status.members] == [
        ("OK", 200, 1, "HTTP_STATUS_OK", ":ok"),
        ("NotFound", 404, 2, "HTTP_STATUS_NOT_FOUND", ":not_found"),
        ("UNSPECIFIED", 0, 3, "HTTP_STATUS_VALUE_3", ":unspecified"),
        ("ö", 1, 4, "HTTP_STATUS_VALUE_4", ":ö"),
    ]
    assert [(m.name, m.value, m.proto, m.elixir) for m in literal.members] == [
        ("<", "<", "MIXED_VALUE_1", ":<"),
        ("<=", "<=", "MIXED_VALUE_2", ":<="),
        ("in stock", "in stock", "MIXED_IN_STOCK", ':"in stock"'),
        ("in-stock", "in-stock", "MIXED_VALUE_4", ':"in-stock"'),
        ('a"b', 'a"b', "MIXED_A_B", ':"a\\"b"'),
        ("2", 2, "MIXED_2", "2"),
        ("True", True, "MIXED_TRUE", "true"),
    ]
    assert all(
        re.fullmatch("[A-Z][A-Z0-9_]*", m.proto) for m in (*status.members, *literal.members)
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "def do_it() -> int: ...\ndef doIt() -> int: ...",
            ["m.py:2: function `doIt`", "becomes `DoIt`", "function `do_it` (m.py:1)"],
        ),
        (
            "from pydantic import BaseModel\nclass HTTPData(BaseModel): x: int\n"
            "class HttpData(BaseModel): x: int\ndef f(a: HTTPData, b: HttpData) -> int: ...",
            ["m.py:3: class `HttpData`", "`http_data`", "class `HTTPData` (m.py:2)"],
        ),
        (
            "from pydantic import BaseModel\nclass A_B(BaseModel): x: int\n"
            "class AB(BaseModel): x: int\ndef f(a: A_B, b: AB) -> int: ...",
            ["m.py:3: class `AB`", "becomes `AB`", "class `A_B` (m.py:2)"],
        ),
        (
            "from pydantic import BaseModel\nclass M(BaseModel):\n  foo_bar: int\n  fooBar: int\n"
            "def f(a: M) -> int: ...",
            ["m.py:4: field `M.fooBar`", "becomes `fooBar`", "field `M.foo_bar` (m.py:3)"],
        ),
        (
            "from pydantic import BaseModel\nclass M(BaseModel):\n  end: int\n  end_: int\n"
            "def f(a: M) -> int: ...",
            ["field `M.end_`", "field `M.end`"],
        ),
        (
            "def f(timeout: int,\n  timeout_: int) -> int: ...",
            ["m.py:2: parameter `timeout_` of `f`", "parameter `timeout` of `f` (m.py:1)"],
        ),
        (
            "import enum\nclass E(enum.Enum):\n  a = 1\n  A = 2\ndef f(e: E) -> int: ...",
            ["`A` of enum `E`", "`a` of enum `E`", "m.py:2"],
        ),
        (
            "import enum\nclass Currency(enum.Enum):\n  EUR_X = 1\n"
            "class CurrencyEur(enum.Enum):\n  X = 1\n"
            "def f(a: Currency, b: CurrencyEur) -> int: ...",
            ["becomes `CURRENCY_EUR_X`"],
        ),
        (
            "from typing import Literal\ndef f(e: Literal['1', 1]) -> int: ...",
            ["m.py:2: parameter `e` of `f`", "written alike"],
        ),
    ],
)
def test_names_that_meet_are_refused_with_both_places(
    refuse: Refuse, source: str, words: list[str]
) -> None:
    text = refuse(source)
    for word in words:
        assert word in text
