from __future__ import annotations

import os
import time

import pytest
from pants.core.goals.run import RunRequest
from pants.core.goals.test import TestResult
from pants.engine.addresses import Address
from pants.engine.process import InteractiveProcess
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import RuleRunner, mock_console

from bridge_runner import BRIDGE, GREETER, bridge_runner, emptied
from elixir.exunit import ExUnitFieldSet, ExUnitRequest
from synapse.serve import SynapseRunFieldSet


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(
        QueryRule(TestResult, [ExUnitRequest.Batch]), QueryRule(RunRequest, [SynapseRunFieldSet])
    )


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({**BRIDGE, **GREETER})
    return shared


def run_tests(runner: RuleRunner) -> TestResult:
    field_set = ExUnitFieldSet.create(runner.get_target(Address("app", target_name="tests")))
    return runner.request(TestResult, [ExUnitRequest.Batch("", (field_set,), None)])


def servers_of(marker: str) -> list[int]:
    """The processes whose command line has the marker."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command:
                if marker.encode() in command.read():
                    found.append(int(pid))
        except OSError:
            continue  # it has just ended
    return found


def test_tests_get_the_service_booted(runner: RuleRunner) -> None:
    result = run_tests(runner)
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "1 test, 0 failures" in result.stdout


def test_two_services_are_booted_side_by_side(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "app/parting.py": "def greet(name):\n    return f'Farewell, {name}!'\n",
            "app/more/BUILD": "synapse_service(module='parting', elixir_module='Parting')",
            "app/test/greeter_test.exs": (
                'defmodule GreeterTest do\n  use ExUnit.Case\n  test "both" do\n'
                '    assert {Greeter.greet("A"), Parting.greet("B")} == '
                '{"Hello, A!", "Farewell, B!"}\n  end\nend\n'
            ),
        }
    )
    result = run_tests(runner)
    assert result.exit_code == 0, result.stdout + result.stderr


def test_editing_the_function_changes_the_outcome(runner: RuleRunner) -> None:
    assert run_tests(runner).exit_code == 0
    runner.write_files({"app/greeting.py": "def greet(name):\n    return f'Hi, {name}!'\n"})
    result = run_tests(runner)
    assert result.exit_code == 2
    assert "Hi, Zoë!" in result.stdout


def test_a_server_that_dies_at_boot_is_shown(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "app/greeting.py": (
                "import sys\nif 'inspect' not in sys.argv:\n    sys.exit('the model is missing')\n"
            )
        }
    )
    result = run_tests(runner)
    assert result.exit_code == 1
    assert "[Greeter] the model is missing" in result.stderr
    assert "The server of Greeter ended with status 1 before it listened." in result.stderr


def test_no_server_outlives_tests_that_take_too_long(runner: RuleRunner) -> None:
    module = f"unique_{os.getpid()}"
    runner.write_files(
        {
            f"app/{module}.py": "def greet(name):\n    import time\n    time.sleep(600)\n",
            "app/BUILD": (
                f"python_sources()\nsynapse_service(name='greeter', module='{module}', "
                f"elixir_module='U{module}')\nexunit_tests(name='tests', timeout=15)"
            ),
            "app/test/greeter_test.exs": (
                "defmodule GreeterTest do\n  use ExUnit.Case\n  @tag timeout: :infinity\n"
                f'  test "slow", do: U{module}.greet("A")\nend\n'
            ),
        }
    )
    assert run_tests(runner).exit_code != 0
    deadline = time.monotonic() + 10
    while (left := servers_of(f"u{module}_server")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_run_starts_the_server(runner: RuleRunner) -> None:
    # Without --exit-with-parent the stand-in ends once it has said where it listens.
    target = runner.get_target(Address("app", target_name="greeter"))
    request = runner.request(RunRequest, [SynapseRunFieldSet.create(target)])
    with mock_console(runner.options_bootstrapper) as (_, output):
        result = runner.run_interactive_process(
            InteractiveProcess(
                argv=(*request.args, "--port", "0"),
                env=request.extra_env,
                input_digest=request.digest,
                append_only_caches=request.append_only_caches,
                run_in_workspace=True,
            )
        )
        assert result.exit_code == 0, output.get_stderr()
        assert "listening on 127.0.0.1:" in output.get_stdout()
