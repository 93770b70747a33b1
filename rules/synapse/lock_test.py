from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from pants.core.goals.check import CheckResults
from pants.core.goals.lint import LintResult
from pants.engine.addresses import Address
from pants.engine.rules import QueryRule
from pants.engine.target import InvalidFieldException
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import BRIDGE, GREETER, bridge_runner, emptied, run_goal
from synapse.lock import (
    SynapseCompatibilityRequest,
    SynapseLock,
    SynapseLockCheckRequest,
    SynapseLockFieldSet,
)
from synapse.target_types import SynapseLockField

LOCK = "app/synapse.lock.json"
CHANGED = {"app/greeting.py": "def greet(name):\n    return name\n"}


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(
        QueryRule(CheckResults, [SynapseLockCheckRequest]),
        QueryRule(LintResult, [SynapseCompatibilityRequest.Batch]),
    )


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({**BRIDGE, **GREETER})
    return shared


def field_set(runner: RuleRunner) -> SynapseLockFieldSet:
    target = runner.get_target(Address("app", target_name="greeter"))
    return SynapseLockFieldSet.create(target)


def check(runner: RuleRunner) -> CheckResults:
    return runner.request(CheckResults, [SynapseLockCheckRequest([field_set(runner)])])


def lint(runner: RuleRunner) -> LintResult:
    # Pants' own metadata of a partition without any is private.
    batch = SynapseCompatibilityRequest.Batch("", (field_set(runner),), None)  # type: ignore[type-var]
    return runner.request(LintResult, [batch])


def test_without_a_lock_there_is_nothing_to_hold_a_service_to(runner: RuleRunner) -> None:
    assert check(runner).results == ()
    assert lint(runner).exit_code == 0


def test_the_goal_writes_the_lock_and_prints_what_changed(runner: RuleRunner) -> None:
    result = run_goal(runner, SynapseLock, "app:greeter")
    assert (result.exit_code, result.stdout) == (0, "locked greeting\n")
    lock = json.loads(Path(runner.build_root, LOCK).read_text())
    assert lock == {"greeting": GREETER["app/greeting.py"]}


def test_services_of_a_folder_share_its_lock(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "app/parting.py": "def part():\n    pass\n",
            "app/BUILD": dedent(
                """\
                python_sources()
                synapse_service(name="greeter", module="greeting")
                synapse_service(name="parter", module="parting")
                """
            ),
        }
    )
    result = run_goal(runner, SynapseLock, "app::")
    assert result.stdout == "locked greeting\nlocked parting\n"
    assert set(json.loads(Path(runner.build_root, LOCK).read_text())) == {"greeting", "parting"}


def test_a_current_lock_passes_and_a_stale_one_fails(runner: RuleRunner) -> None:
    runner.write_files({LOCK: json.dumps({"greeting": GREETER["app/greeting.py"]})})
    assert check(runner).exit_code == 0
    runner.write_files(CHANGED)
    results = check(runner)
    assert results.exit_code == 1
    assert f"{LOCK} is stale" in "".join(each.stderr for each in results.results)


def test_a_change_from_the_lock_fails_the_lint(runner: RuleRunner) -> None:
    runner.write_files({LOCK: json.dumps({"greeting": GREETER["app/greeting.py"]})})
    assert lint(runner).exit_code == 0
    runner.write_files(CHANGED)
    result = lint(runner)
    assert (result.exit_code, result.stdout) == (1, "changed source\n")


def test_a_lock_stands_beside_its_build_file() -> None:
    assert SynapseLockField(None, Address("a/b")).path == "a/b/synapse.lock.json"
    with pytest.raises(InvalidFieldException, match="must be a JSON file in the folder"):
        SynapseLockField("../synapse.lock.json", Address("a/b"))
