from __future__ import annotations

import json
from pathlib import Path

import pytest
from pants.backend.codegen.export_codegen_goal import ExportCodegen
from pants.engine.addresses import Address
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import BRIDGE, GREETER, ExecutionError, bridge_runner, emptied, run_goal
from synapse.codegen import GeneratedCode, GeneratedCodeRequest


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(QueryRule(GeneratedCode, [GeneratedCodeRequest]))


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({**BRIDGE, **GREETER})
    return shared


def test_export_codegen_writes_everything(runner: RuleRunner) -> None:
    result = run_goal(runner, ExportCodegen, "app:greeter")
    assert result.exit_code == 0
    out = Path(runner.build_root, "dist/codegen")
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {
        "app/greeter_pb2.py",
        "app/greeter_pb2_grpc.py",
        "app/greeter_server.py",
        "app/greeter/contract.json",
        "app/greeter/proto/greeter/v1/greeter.proto",
        "app/greeter/elixir/mix.exs",
        "app/greeter/elixir/lib/greeter.ex",
    }


def test_every_field_reaches_the_tool(runner: RuleRunner) -> None:
    runner.write_files(
        {
            "app/BUILD": (
                "python_sources()\n"
                "synapse_service(name='g', module='greeting', functions=['greet', 'part'], "
                "elixir_module='Greeter', config='synapse.yaml')"
            ),
            "app/synapse.yaml": "service: Greetings",
            "app/synapse.lock.json": '{"greeting": ""}',
        }
    )
    run_goal(runner, ExportCodegen, "app:g")
    contract = Path(runner.build_root, "dist/codegen/app/greeter/contract.json")
    found = json.loads(contract.read_text())
    assert {key: found[key] for key in ("python", "elixir", "functions", "config", "locks")} == {
        "python": "greeting",
        "elixir": "Greeter",
        "functions": ["greet", "part"],
        "config": "service: Greetings",
        "locks": [["greeting"]],
    }


def test_a_module_that_fails_to_import_is_shown(runner: RuleRunner) -> None:
    runner.write_files({"app/greeting.py": "import nowhere"})
    with pytest.raises(ExecutionError, match="No module named 'nowhere'"):
        runner.request(GeneratedCode, [GeneratedCodeRequest(Address("app", target_name="greeter"))])


def test_names_that_inference_does_not_expect_are_an_error(runner: RuleRunner) -> None:
    # The stand-in does not underscore.
    service = "synapse_service(name='g', module='greeting', elixir_module='TwoWords')"
    runner.write_files({"app/BUILD": f"python_sources()\n{service}"})
    with pytest.raises(ExecutionError, match=r"lacks python/two_words_pb2\.py"):
        runner.request(GeneratedCode, [GeneratedCodeRequest(Address("app", target_name="g"))])
