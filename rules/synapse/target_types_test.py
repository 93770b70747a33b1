from __future__ import annotations

import pytest
from pants.engine.addresses import Address
from pants.engine.target import InvalidFieldException, InvalidTargetException

from synapse.target_types import (
    SynapseAgentsField,
    SynapseDepsFactoryField,
    SynapseElixirModuleField,
    SynapseModuleField,
    SynapseOutputPathField,
    SynapseService,
    elixir_module,
    python_object,
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


def bridged(**fields: object) -> str:
    service = SynapseService(fields, ADDRESS)
    return python_object(ADDRESS, service[SynapseModuleField], service[SynapseAgentsField])


def test_agents_name_the_module_of_a_service_that_names_none() -> None:
    assert bridged(agents=["desk.bots:support_agent", "desk.bots:greeter"]) == "desk.bots"
    assert bridged(module="shop", agents=["shop:seller"]) == "shop"
    service = SynapseService({"agents": ["my_agents:support_agent"]}, ADDRESS)
    assert (elixir_module(service), stem(service)) == ("MyAgents", "my_agents")


@pytest.mark.parametrize("agents", [None, ["a:x", "b:y"]])
def test_a_service_is_of_one_module(agents: list[str] | None) -> None:
    with pytest.raises(InvalidTargetException, match="or `agents` of one module"):
        bridged(agents=agents)


@pytest.mark.parametrize("value", ["my_agents", "my_agents:", "My Agents:x"])
def test_agents_and_factories_are_objects_in_modules(value: str) -> None:
    with pytest.raises(InvalidFieldException, match="must be agents in Python modules"):
        SynapseAgentsField([value], ADDRESS)
    with pytest.raises(InvalidFieldException, match="must be a function in a Python module"):
        SynapseDepsFactoryField(value, ADDRESS)


def test_packages_get_their_endings() -> None:
    assert SynapseOutputPathField(None, ADDRESS).path("pex") == "shop/service.pex"
    assert SynapseOutputPathField("out/x", ADDRESS).path("proto") == "out/x.proto"
