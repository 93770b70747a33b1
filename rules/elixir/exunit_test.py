from __future__ import annotations

import pytest
from pants.core.goals.test import TestResult
from pants.engine.addresses import Address
from pants.engine.fs import DigestContents
from pants.engine.internals.native_engine import Digest
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import bridge_runner, emptied, set_options
from elixir.exunit import ExUnitFieldSet, ExUnitRequest


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(
        QueryRule(TestResult, [ExUnitRequest.Batch]), QueryRule(DigestContents, [Digest])
    )


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    return emptied(shared)


def run(runner: RuleRunner, files: dict[str, str], fields: str = "") -> TestResult:
    runner.write_files({"x/BUILD": f"exunit_tests(name='t', {fields})\n", **files})
    field_set = ExUnitFieldSet.create(runner.get_target(Address("x", target_name="t")))
    return runner.request(TestResult, [ExUnitRequest.Batch("", (field_set,), None)])


def suite(*tests: str) -> str:
    return "\n".join(["defmodule XTest do", "  use ExUnit.Case", *tests, "end"])


def report(runner: RuleRunner, result: TestResult) -> str:
    assert result.xml_results is not None
    (file,) = runner.request(DigestContents, [result.xml_results.digest])
    return file.content.decode()


def test_passing_tests_and_their_report(runner: RuleRunner) -> None:
    result = run(
        runner,
        {
            "x/test/x_test.exs": suite(
                'test "ünï <&>", do: assert 1 + 1 == 2', '@tag :skip\ntest "later", do: flunk()'
            )
        },
    )
    assert result.exit_code == 0
    assert "2 tests, 0 failures, 1 skipped" in result.stdout
    assert 'tests="2" failures="0" errors="0" skipped="1"' in report(runner, result)
    assert 'name="test ünï &lt;&amp;&gt;"' in report(runner, result)


def test_a_failure_is_shown_with_both_sides(runner: RuleRunner) -> None:
    result = run(runner, {"x/test/x_test.exs": suite('test "sum", do: assert 1 + 1 == 3')})
    assert result.exit_code == 2
    assert "left:  2" in result.stdout
    assert "right: 3" in result.stdout
    assert 'failures="1"' in report(runner, result)


def test_tests_that_do_not_compile(runner: RuleRunner) -> None:
    result = run(runner, {"x/test/x_test.exs": suite("test(")})
    assert result.exit_code == 1
    assert "test/x_test.exs" in result.stdout + result.stderr


def test_a_library_that_does_not_compile(runner: RuleRunner) -> None:
    result = run(
        runner,
        {
            "lib/lib/l.ex": "defmodule L do\n  def f(, do: 1\nend",
            "lib/BUILD": "elixir_sources()",
            "x/test/x_test.exs": suite('test "l", do: L.f()'),
        },
    )
    assert result.exit_code == 1
    assert "lib/lib/l.ex" in result.stdout + result.stderr


def test_as_under_mix_helpers_are_loaded_and_the_folder_is_current(runner: RuleRunner) -> None:
    result = run(
        runner,
        {
            "x/test/test_helper.exs": (
                'ExUnit.start(exclude: [:slow])\nSystem.put_env("HELPED", "yes")'
            ),
            "x/test/data.txt": "data",
            "x/test/x_test.exs": suite(
                'test "helper", do: assert System.get_env("HELPED") == "yes"',
                'test "data", do: assert File.read!("test/data.txt") == "data"',
                'test "env", do: assert System.get_env("GIVEN") == "5"',
                '@tag :slow\ntest "slow", do: flunk()',
            ),
            "BUILD": "files(name='data', sources=['x/test/*.txt'])",
        },
        fields="dependencies=['//:data'], extra_env_vars=['GIVEN=5']",
    )
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "4 tests, 0 failures, 1 excluded" in result.stdout


def test_arguments_choose_tests(runner: RuleRunner) -> None:
    set_options(runner, "--exunit-args=--only chosen --seed 7")
    result = run(
        runner,
        {
            "x/test/x_test.exs": suite(
                'test "other", do: flunk()', '@tag :chosen\ntest "chosen", do: assert true == true'
            )
        },
    )
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "seed 7" in result.stdout


def test_a_test_that_takes_too_long_is_stopped(runner: RuleRunner) -> None:
    result = run(
        runner,
        {"x/test/x_test.exs": suite('test "sleep", do: Process.sleep(:infinity)')},
        fields="timeout=3",
    )
    assert result.exit_code != 0
    assert "timeout" in (result.stdout + result.stderr).lower()
