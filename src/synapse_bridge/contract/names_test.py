"""Derived names: what people expect, and legal for any Python name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_bridge.contract import names, reserved

IDENTIFIER = st.from_regex(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,15}", fullmatch=True)


@pytest.mark.parametrize(
    ("python", "camel", "under"),
    [
        ("process_data", "ProcessData", "process_data"),
        ("ProcessData", "ProcessData", "process_data"),
        ("HTTPServer", "HTTPServer", "http_server"),
        ("getHTTPResponse", "GetHTTPResponse", "get_http_response"),
        ("SHA256Sum", "SHA256Sum", "sha256_sum"),
        ("v1_2", "V12", "v1_2"),
        ("_private", "Private", "_private"),
        ("Outer.Inner", "OuterInner", "outer.inner"),
        ("Order.line_state", "OrderLineState", "order.line_state"),
        ("EUR", "EUR", "eur"),
    ],
)
def test_camelize_and_underscore(python: str, camel: str, under: str) -> None:
    assert names.camelize(python) == camel
    assert names.underscore(python) == under


@pytest.mark.parametrize(
    ("module", "elixir", "stem", "package", "service"),
    [
        (
            "my_python_module",
            "MyPythonModule",
            "my_python_module",
            "my_python_module.v1",
            "MyPythonModuleService",
        ),
        ("shop.pricing", "Shop.Pricing", "shop_pricing", "shop.pricing.v1", "PricingService"),
        ("user_service", "UserService", "user_service", "user_service.v1", "UserService"),
    ],
)
def test_names_of_a_service(
    module: str, elixir: str, stem: str, package: str, service: str
) -> None:
    assert names.elixir_module(module) == elixir
    assert names.stem(elixir) == stem
    assert names.proto_package(elixir) == package
    assert names.service(elixir) == service


@pytest.mark.parametrize(
    ("python", "field", "option", "function"),
    [
        ("name", "name", "name", "name"),
        ("end", "end_", "end_", "end_"),
        ("timeout", "timeout", "timeout_", "timeout"),
        ("case", "case", "case", "case_"),
        ("child_spec", "child_spec", "child_spec", "child_spec_"),
        ("Name", "name", "name", "name"),
        ("camelCase", "camelCase", "camelCase", "camelCase"),
        ("_x", "_x", "_x", "x"),
    ],
)
def test_names_in_elixir(python: str, field: str, option: str, function: str) -> None:
    assert names.elixir_field(python) == field
    assert names.elixir_field(python, option=True) == option
    assert names.elixir_function(python) == function


@pytest.mark.parametrize(
    ("enum", "member", "value"),
    [
        ("Currency", "EUR", "CURRENCY_EUR"),
        ("HTTPStatus", "NotFound", "HTTP_STATUS_NOT_FOUND"),
        ("Mode", "in-stock", "MODE_IN_STOCK"),
        ("Mode", "<=", None),
    ],
)
def test_enum_values(enum: str, member: str, value: str | None) -> None:
    assert names.enum_value(enum, member) == value


@settings(deadline=None)
@given(IDENTIFIER)
def test_every_python_name_has_legal_names_elsewhere(python: str) -> None:
    for name in (names.elixir_field(python), names.elixir_function(python)):
        assert names.is_elixir_name(name)
        assert name not in reserved.ELIXIR_RESERVED
    assert names.elixir_field(python, option=True) not in reserved.CALL_OPTIONS
    assert names.is_proto_name(names.proto_field(python))
    assert names.is_elixir_module(names.message(python))
    assert names.is_elixir_module(names.elixir_module(python))
    assert names.is_proto_package(names.proto_package(names.elixir_module(python)))
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*Service", names.service(names.elixir_module(python)))


@pytest.mark.parametrize("name", ["MyApp", "MyApp.Orders", "A1.B_2"])
def test_what_is_an_elixir_module(name: str) -> None:
    assert names.is_elixir_module(name)


@pytest.mark.parametrize("name", ["", "my", "My.", ".My", "My.app", "My App", "My\n", "Ä"])
def test_what_is_no_elixir_module(name: str) -> None:
    assert not names.is_elixir_module(name)
