from __future__ import annotations

import pytest
from pants.engine.addresses import Address, Addresses
from pants.engine.rules import QueryRule
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import BRIDGE, GREETER, bridge_runner, emptied


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(QueryRule(Addresses, [DependenciesRequest]))


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({**BRIDGE, **GREETER})
    return shared


def dependencies(runner: RuleRunner, address: Address) -> set[str]:
    target = runner.get_target(address)
    found = runner.request(Addresses, [DependenciesRequest(target[Dependencies])])
    return {each.spec for each in found}


def test_a_service_depends_on_its_module_and_both_runtimes(runner: RuleRunner) -> None:
    assert dependencies(runner, Address("app", target_name="greeter")) == {
        "app/greeting.py",
        "src/synapse_bridge/serve.py",
        "elixir/synapse_bridge:synapse_bridge",
    }


def test_a_service_has_the_messages_of_its_own_that_generated_code_may_import(
    runner: RuleRunner,
) -> None:
    runner.write_files(
        {
            "src/synapse_bridge/v1/BUILD": "python_sources()",
            "src/synapse_bridge/v1/types_pb2.py": "",
        }
    )
    found = dependencies(runner, Address("app", target_name="greeter"))
    assert "src/synapse_bridge/v1/types_pb2.py" in found


def test_importing_generated_python_is_depending_on_the_service(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "app/a.py": "import greeter_pb2",
            "app/b.py": "from greeter_server import SERVICE",
            "app/c.py": "import greeting",
        }
    )
    for name in ("a", "b"):
        address = Address("app", relative_file_path=f"{name}.py")
        assert "app:greeter" in dependencies(runner, address)
    address = Address("app", relative_file_path="c.py")
    assert "app:greeter" not in dependencies(runner, address)


def test_naming_the_elixir_module_is_depending_on_the_service(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "use/lib/x.ex": "defmodule X do\n  alias Greeter.{Reply}\nend",
            "use/x.exs": '"#{Greeter.greet("x")}"',
            "use/BUILD": "elixir_sources(name='lib')\nelixir_script(name='s', source='x.exs')",
        }
    )
    assert dependencies(runner, Address("app", target_name="tests")) == {"app:greeter"}
    assert dependencies(runner, Address("use", target_name="lib")) == {"app:greeter"}
    assert dependencies(runner, Address("use", target_name="s")) == {"app:greeter"}


def test_a_module_that_nobody_provides(
    runner: RuleRunner, caplog: pytest.LogCaptureFixture
) -> None:
    runner.write_files({"app/BUILD": "synapse_service(name='lost', module='gone.astray')"})
    dependencies(runner, Address("app", target_name="lost"))
    assert "No target provides the module `gone.astray` of app:lost." in caplog.text


def test_agents_bring_what_their_server_imports_and_what_makes_their_deps(
    runner: RuleRunner,
) -> None:
    runner.write_files(
        {
            "src/synapse_bridge/agents.py": "",
            "app/bots.py": "",
            "app/desks.py": "",
            "app/BUILD": (
                "python_sources()\n"
                "synapse_service(name='bots', agents=['bots:greeter'], "
                "deps_factory='desks:open_desk', models=['a:b'], tools='expose')"
            ),
        }
    )
    assert dependencies(runner, Address("app", target_name="bots")) == {
        "app/bots.py",
        "app/desks.py",
        "src/synapse_bridge/agents.py",
        "src/synapse_bridge/serve.py",
        "elixir/synapse_bridge:synapse_bridge",
    }
