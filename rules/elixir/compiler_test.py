from __future__ import annotations

import pytest
from pants.core.goals.check import CheckResults
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import Digest, Snapshot
from pants.engine.rules import QueryRule
from pants.testutil.rule_runner import RuleRunner

from bridge_runner import bridge_runner, emptied
from elixir.compiler import (
    CompiledElixir,
    CompileElixirRequest,
    ElixircFieldSet,
    ElixircRequest,
)

LIBRARIES = {
    "base/lib/base.ex": "defmodule Base0 do\n  defmacro two, do: 2\nend\n",
    "base/BUILD": "elixir_sources()",
    "top/lib/top.ex": "defmodule Top do\n  require Base0\n  def four, do: Base0.two() * 2\nend\n",
    "top/BUILD": "elixir_sources()",
}


@pytest.fixture(scope="module")
def shared() -> RuleRunner:
    return bridge_runner(
        QueryRule(CompiledElixir, [CompileElixirRequest]),
        QueryRule(CheckResults, [ElixircRequest]),
        QueryRule(Snapshot, [Digest]),
    )


@pytest.fixture
def runner(shared: RuleRunner) -> RuleRunner:
    return emptied(shared)


def check(runner: RuleRunner, *folders: str) -> CheckResults:
    targets = [runner.get_target(Address(folder)) for folder in folders]
    return runner.request(
        CheckResults, [ElixircRequest(ElixircFieldSet.create(target) for target in targets)]
    )


def test_a_library_is_compiled_after_what_it_needs(runner: RuleRunner) -> None:
    runner.write_files(LIBRARIES)
    build = runner.request(CompiledElixir, [CompileElixirRequest(Addresses([Address("top")]))])
    assert [each.library.spec for each in build.libraries] == ["base:base", "top:top"]
    assert build.failure is None
    beams = runner.request(Snapshot, [build.digest]).files
    assert [path.rpartition("/")[2] for path in beams] == ["Elixir.Base0.beam", "Elixir.Top.beam"]


def test_clean_code_passes(runner: RuleRunner) -> None:
    runner.write_files(LIBRARIES)
    assert check(runner, "top").exit_code == 0


def test_a_warning_is_an_error(runner: RuleRunner) -> None:
    runner.write_files(
        {**LIBRARIES, "top/lib/top.ex": "defmodule Top do\n  def f(unused), do: 1\nend\n"}
    )
    results = check(runner, "top")
    assert results.exit_code == 1
    assert 'variable "unused" is unused' in "".join(each.stderr for each in results.results)


def test_what_needs_a_broken_library_is_not_compiled(runner: RuleRunner) -> None:
    broken = "defmodule Base0 do\n  def f(, do: 1\nend\n"
    runner.write_files({**LIBRARIES, "base/lib/base.ex": broken})
    results = check(runner, "top")
    assert results.exit_code == 1
    assert [each.partition_description for each in results.results] == ["base:base"]
    (result,) = results.results
    assert "base/lib/base.ex" in result.stdout + result.stderr  # where, depends on the release
