from __future__ import annotations

from pathlib import Path

import pytest
from pants.core.goals.fix import Fix
from pants.core.goals.fmt import Fmt
from pants.core.goals.lint import Lint
from pants.testutil.rule_runner import RuleRunner

import ruff.register
from bridge_runner import bridge_runner, emptied, run_goal

# Without a lockfile, as the runner's workspace has none.
RUFF = ("--ruff-version=ruff==0.17.6", "--ruff-lockfile=<none>")


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(*ruff.register.rules())


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    emptied(shared).write_files({"app/BUILD": "python_sources()"})
    return shared


def test_lint_reports_what_ruff_finds(runner: RuleRunner) -> None:
    runner.write_files({"app/a.py": "import os\n"})
    result = run_goal(runner, Lint, *RUFF, "app::")
    assert result.exit_code == 1
    assert "ruff check failed" in result.stderr


def test_fix_removes_it(runner: RuleRunner) -> None:
    runner.write_files({"app/a.py": "import os\n"})
    assert run_goal(runner, Fix, *RUFF, "app::").exit_code == 0
    assert Path(runner.build_root, "app/a.py").read_text() == ""


def test_fmt_formats_as_the_nearest_configuration_says(runner: RuleRunner) -> None:
    runner.write_files({"app/a.py": "a  =  'a'\n", "ruff.toml": "format.quote-style = 'single'"})
    assert run_goal(runner, Fmt, *RUFF, "app::").exit_code == 0
    assert Path(runner.build_root, "app/a.py").read_text() == "a = 'a'\n"
