from __future__ import annotations

from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.process import InteractiveProcess
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import mock_console

from bridge_runner import BRIDGE, GREETER, bridge_runner
from elixir.script import ElixirScriptFieldSet


def test_a_program_runs_with_its_servers_and_arguments() -> None:
    runner = bridge_runner(QueryRule(RunRequest, [ElixirScriptFieldSet]))
    runner.write_files(
        {
            **BRIDGE,
            **GREETER,
            "demo/BUILD": "elixir_script(name='demo', source='demo.exs')",
            "demo/demo.exs": "IO.puts(Greeter.greet(hd(System.argv())))\nIO.puts(File.cwd!())",
        }
    )
    target = runner.get_target(Address("demo"))
    request = runner.request(RunRequest, [ElixirScriptFieldSet.create(target)])
    with mock_console(runner.options_bootstrapper) as (_, output):
        result = runner.run_interactive_process(
            InteractiveProcess(
                argv=(*request.args, "Zoë"),
                env=request.extra_env,
                input_digest=request.digest,
                append_only_caches=request.append_only_caches,
                run_in_workspace=True,
            )
        )
        assert result.exit_code == 0, output.get_stderr()
        assert output.get_stdout().splitlines() == ["Hello, Zoë!", runner.build_root]
        assert "[Greeter] asked" in output.get_stderr()
