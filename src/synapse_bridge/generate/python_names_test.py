"""Names in a generated server never meet those of the user's modules and classes."""

from __future__ import annotations

import pytest

from synapse_bridge.contract import (
    Contract,
    Docstring,
    Enum,
    EnumMember,
    EnumRef,
    Message,
    MessageRef,
    Method,
    Service,
    TupleOf,
)
from synapse_bridge.generate.python_names import PythonNames, literal


def contract(module: str, *items: Message | Enum) -> Contract:
    method = Method("f", "f", "F", "f", "#request", "#response", (), None, False, Docstring())
    service = Service(module, "a.v1", "AService", "A", "a", "", (method,))
    messages = tuple(item for item in items if isinstance(item, Message))
    enums = tuple(item for item in items if isinstance(item, Enum))
    return Contract(service, messages, enums)


def message(name: str, proto: str, module: str = "") -> Message:
    return Message(name, proto, f"A.{proto}", "model", (), module=module)


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("shop", "import shop"),
        ("shop.orders", "import shop.orders"),
        ("serve", "import serve as _serve"),
        ("serve.models", "import serve.models as _serve_models"),
        ("pb", "import pb as _pb"),
        ("f_arguments", "import f_arguments as _f_arguments"),
        ("item", "import item as _item"),
    ],
)
def test_a_users_module_makes_way_where_it_must(module: str, statement: str) -> None:
    assert [line for line, _ in PythonNames(contract(module)).imports()] == [statement]


def test_classes_are_reached_through_their_module() -> None:
    inner = message("shop.models.Outer.Inner", "OuterInner", "shop.models")
    names = PythonNames(contract("shop", inner))
    assert names.reference(inner) == "shop.models.Outer.Inner"
    assert [line for line, _ in names.imports()] == ["import shop", "import shop.models"]


def test_converters_of_names_that_read_alike_differ() -> None:
    items = (message("a.HTTPServer", "HTTPServer"), message("a.HttpServer", "HttpServer"))
    names = PythonNames(contract("a", *items))
    assert [names.of(MessageRef(item.name)) for item in items] == ["http_server", "http_server_"]


def test_the_table_of_an_enum_is_not_the_service() -> None:
    enum = Enum("a.Service", "Service", "A.Service", "enum", (EnumMember("X", 1, 1, "", ""),))
    assert PythonNames(contract("a", enum)).of(EnumRef("a.Service")) == "SERVICE_"


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("a", '"a"'),
        ("it's", '"it\'s"'),
        ('a"b', "'a\"b'"),
        ("both ' and \"", '"both \' and \\""'),
        ("\\\n\x00é", '"\\\\\\n\\x00é"'),
        (1, "1"),
        (True, "True"),
        (b"\xff'", 'b"\\xff\'"'),
    ],
)
def test_literals_have_the_quotes_that_ruff_prefers(value: str | bytes | int, source: str) -> None:
    assert literal(value) == source
    assert eval(source) == value


def test_the_empty_tuple_is_written_as_python_wants_it() -> None:
    assert PythonNames(contract("shop")).annotation(TupleOf(())) == "tuple[()]"
