from __future__ import annotations

import pytest
from pants.engine.addresses import Address
from pants.engine.target import InvalidFieldException

from synapse.target_types import (
    SynapseElixirModuleField,
    SynapseModuleField,
    SynapseOutputPathField,
    SynapseService,
    elixir_module,
    stem,
)

ADDRESS = Address("shop", target_name="service")


@pytest.mark.parametrize("value", ["shop.pricing", "shop.pricing:engine", "shop:a.b", "größe"])
def test_modules_and_objects_can_be_exposed(value: str) -> None:
    assert SynapseModuleField(value, ADDRESS).value == value


@pytest.mark.parametrize("value", ["shop/pricing.py", "shop.", "shop:", "1shop", ""])
def test_other_values_are_refused(value: str) -> None:
    with pytest.raises(InvalidFieldException, match="must be a Python module"):
        SynapseModuleField(value, ADDRESS)


@pytest.mark.parametrize("value", ["shop", "My-App", "MyApp.", "My.app", "Größe"])
def test_the_elixir_module_must_be_one(value: str) -> None:
    with pytest.raises(InvalidFieldException, match="must be an Elixir module"):
        SynapseElixirModuleField(value, ADDRESS)


def test_names_follow_from_the_module_unless_given() -> None:
    service = SynapseService({"module": "shop.pricing:engine"}, ADDRESS)
    assert (elixir_module(service), stem(service)) == ("Shop.Pricing", "shop_pricing")
    service = SynapseService({"module": "shop", "elixir_module": "MyApp.Orders"}, ADDRESS)
    assert (elixir_module(service), stem(service)) == ("MyApp.Orders", "my_app_orders")


def test_packages_get_their_endings() -> None:
    assert SynapseOutputPathField(None, ADDRESS).path("pex") == "shop/service.pex"
    assert SynapseOutputPathField("out/x", ADDRESS).path("proto") == "out/x.proto"
