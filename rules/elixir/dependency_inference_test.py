from __future__ import annotations

import pytest
from pants.engine.addresses import Address, Addresses
from pants.engine.rules import QueryRule
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import bridge_runner, emptied


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(QueryRule(Addresses, [DependenciesRequest]))


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    return emptied(shared)


def dependencies(runner: RuleRunner, folder: str, name: str) -> set[str]:
    target = runner.get_target(Address(folder, target_name=name))
    found = runner.request(Addresses, [DependenciesRequest(target[Dependencies])])
    return {address.spec for address in found}


def test_naming_a_module_of_a_library_is_depending_on_it(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "cart/lib/cart.ex": "defmodule Shop.Cart do\n  alias Shop.Price\nend\n",
            "cart/BUILD": "elixir_sources()",
            "price/lib/price.ex": "defmodule Shop.Price do\nend\n",
            "price/BUILD": "elixir_sources(name='lib')",
            "use/test/cart_test.exs": "Shop.Cart.Item.new()",
            "use/run.exs": "Shop.Price.of(1)",
            "use/BUILD": "exunit_tests(name='tests')\nelixir_script(name='run', source='run.exs')",
        }
    )
    assert dependencies(runner, "cart", "cart") == {"price:lib"}
    assert dependencies(runner, "price", "lib") == set()
    assert dependencies(runner, "use", "tests") == {"cart:cart"}
    assert dependencies(runner, "use", "run") == {"price:lib"}


def test_test_support_is_for_the_tests_beside_it(runner: RuleRunner) -> None:
    support = {
        "test/support/fake.ex": "defmodule Fake do\nend\n",
        "test/fake_test.exs": "Fake.call()",
        "BUILD": (
            "elixir_sources(name='support', sources=['test/support/*.ex'])\nexunit_tests(name='t')"
        ),
    }
    runner.write_files({f"{folder}/{p}": t for folder in ("a", "b") for p, t in support.items()})
    runner.write_files(
        {"c/c_test.exs": "Fake.call()", "c/BUILD": "exunit_tests(name='t', sources=['*.exs'])"}
    )
    assert dependencies(runner, "a", "t") == {"a:support"}
    assert dependencies(runner, "b", "t") == {"b:support"}
    assert dependencies(runner, "c", "t") == set()


def test_of_several_providers_none_is_inferred(
    runner: RuleRunner, caplog: pytest.LogCaptureFixture
) -> None:
    library = {"lib/x.ex": "defmodule Twice do\nend\n", "BUILD": "elixir_sources()"}
    runner.write_files({f"{folder}/{p}": t for folder in ("a", "b") for p, t in library.items()})
    runner.write_files(
        {
            "c/c.exs": "Twice.call()",
            "c/BUILD": (
                "elixir_script(name='unsaid', source='c.exs')\n"
                "elixir_script(name='said', source='c.exs', dependencies=['a'])"
            ),
        }
    )
    assert dependencies(runner, "c", "unsaid") == set()
    assert "c:unsaid names the Elixir module `Twice`, which several targets provide: a:a, b:b" in (
        caplog.text
    )
    caplog.clear()
    assert dependencies(runner, "c", "said") == {"a:a"}
    assert "Twice" not in caplog.text
