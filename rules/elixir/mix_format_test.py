from __future__ import annotations

from pathlib import Path

import pytest
from pants.core.goals.fmt import Fmt
from pants.core.goals.lint import Lint
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import bridge_runner, emptied, run_goal

FILES = {
    "x/BUILD": (
        "elixir_sources()\nexunit_tests(name='t')\n"
        "elixir_script(name='s', source='s.exs')\nelixir_files(name='f', sources=['mix.exs'])"
    ),
    "x/s.exs": "1+1\n",
    "x/mix.exs": "2+2\n",
    "x/lib/a.ex": "defmodule A do\n  def f( x ), do: x\nend\n",
    "x/test/a_test.exs": "call  :without_parentheses\n",
}


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner()


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    return emptied(shared)


def test_fmt_formats_every_elixir_file(runner: RuleRunner) -> None:
    runner.write_files(FILES)
    run_goal(runner, Fmt, "x::")
    assert "def f(x), do: x" in Path(runner.build_root, "x/lib/a.ex").read_text()
    test = Path(runner.build_root, "x/test/a_test.exs")
    assert test.read_text() == "call(:without_parentheses)\n"
    assert Path(runner.build_root, "x/s.exs").read_text() == "1 + 1\n"
    assert Path(runner.build_root, "x/mix.exs").read_text() == "2 + 2\n"


def test_the_nearest_formatter_file_decides(runner: RuleRunner) -> None:
    runner.write_files(
        {
            **FILES,
            ".formatter.exs": "[locals_without_parens: []]",
            "x/.formatter.exs": "[locals_without_parens: [call: 1]]",
        }
    )
    run_goal(runner, Fmt, "x::")
    test = Path(runner.build_root, "x/test/a_test.exs")
    assert test.read_text() == "call :without_parentheses\n"


def test_lint_names_what_is_not_formatted(runner: RuleRunner) -> None:
    runner.write_files(FILES)
    result = run_goal(runner, Lint, "x::")
    assert result.exit_code == 1
    assert "mix-format failed" in result.stderr
