from __future__ import annotations

import pytest
from pants.core.goals.check import CheckResults
from pants.engine.addresses import Address
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import BRIDGE, GREETER, bridge_runner, emptied
from synapse.check import SynapseCheckFieldSet, SynapseCheckRequest


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(QueryRule(CheckResults, [SynapseCheckRequest]))


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({**BRIDGE, **GREETER})
    return shared


def check(runner: RuleRunner) -> CheckResults:
    target = runner.get_target(Address("app", target_name="greeter"))
    return runner.request(
        CheckResults, [SynapseCheckRequest([SynapseCheckFieldSet.create(target)])]
    )


def test_a_clean_client_passes(runner: RuleRunner) -> None:
    results = check(runner)
    assert results.exit_code == 0
    assert [each.partition_description for each in results.results] == ["app:greeter"]


def test_a_warning_about_the_client_is_an_error(runner: RuleRunner) -> None:
    tool = BRIDGE["src/synapse_bridge/__main__.py"]
    tool = tool.replace("def greet(name) do", "def part(name), do: :ok\n\n  def greet(name) do")
    runner.write_files({"src/synapse_bridge/__main__.py": tool})
    results = check(runner)
    assert results.exit_code == 1
    assert 'variable "name" is unused' in "".join(each.stderr for each in results.results)
