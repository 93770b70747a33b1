from __future__ import annotations

import pytest

from synapse import names


@pytest.mark.parametrize(
    ("python", "elixir", "stem"),
    [
        ("my_python_module", "MyPythonModule", "my_python_module"),
        ("shop.pricing", "Shop.Pricing", "shop_pricing"),
        ("HTTPServer", "HTTPServer", "http_server"),
        ("v2_api", "V2Api", "v2_api"),
    ],
)
def test_names_follow_from_the_module(python: str, elixir: str, stem: str) -> None:
    assert names.elixir_module(python) == elixir
    assert names.stem(elixir) == stem


def test_generated_modules_share_the_stem() -> None:
    assert names.python_modules("my_app_orders") == (
        "my_app_orders_pb2",
        "my_app_orders_pb2_grpc",
        "my_app_orders_server",
    )
