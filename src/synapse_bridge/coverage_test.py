"""What is said of a package: each model and function once, with the reason and the first cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_bridge import __main__ as command
from synapse_bridge.coverage import Coverage, survey

PACKAGE = {
    "__init__.py": "from parts_of_it.models import Good",  # only known here, and defined elsewhere
    "models.py": """
        from collections.abc import Callable
        from dataclasses import dataclass

        from pydantic import BaseModel

        class Good(BaseModel):
            number: int
            others: list["Good"] = []

            class Inner(BaseModel):
                text: str

        class Bad(BaseModel):
            hook: Callable[[int], str]

        class Near(BaseModel):
            bads: dict[str, Bad]

        @dataclass
        class Far:
            near: Near | None
            good: Good

        Alias = Good
        """,
    "functions.py": """
        from collections.abc import Callable

        import synapse_bridge
        from parts_of_it.models import Far, Good

        def fine(good: Good) -> int: ...
        def untyped(good): ...
        def half(good: Good, more) -> int: ...
        def leading(far: Far) -> None: ...

        class Sold(Exception):
            def __init__(self, refund: Callable[[int], str]) -> None:
                self.refund = refund

        @synapse_bridge.raises(Sold)
        def failing(good: Good) -> int: ...

        def _private(good: Good) -> int: ...
        """,
    "_hidden.py": """
        from dataclasses import dataclass

        @dataclass
        class Hidden:
            flag: bool

        def inside(flag: bool) -> bool: ...
        """,
    "broken.py": "import there_is_no_such_module",
    "__main__.py": "raise SystemExit('a program')",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "parts_of_it"
    package.mkdir()
    for name, text in PACKAGE.items():
        lines = text.splitlines()
        indent = len(lines[1]) - len(lines[1].lstrip()) if len(lines) > 1 else 0
        (package / name).write_text("\n".join(line[indent:] for line in lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "parts_of_it"]:
        del sys.modules[name]


@pytest.fixture
def coverage(folder: Path) -> Coverage:
    return survey("parts_of_it")


def test_every_model_is_named_once_where_it_is_defined(coverage: Coverage) -> None:
    assert {one.name: one.mapped for one in coverage.models} == {
        "parts_of_it.models.Good": True,
        "parts_of_it.models.Good.Inner": True,
        "parts_of_it.models.Bad": False,
        "parts_of_it.models.Near": False,
        "parts_of_it.models.Far": False,
        "parts_of_it._hidden.Hidden": True,
    }
    assert len(coverage.models) == 6


def test_public_typed_functions_are_judged_with_what_they_lead_to(coverage: Coverage) -> None:
    assert {one.name: one.mapped for one in coverage.functions} == {
        "parts_of_it.functions.failing": False,
        "parts_of_it.functions.fine": True,
        "parts_of_it.functions.half": False,
        "parts_of_it.functions.leading": False,
    }


def test_a_model_that_leads_to_a_refused_one_says_how(coverage: Coverage) -> None:
    reasons = {one.name.rpartition(".")[2]: one.reason for one in coverage.models}
    assert reasons["Far"].startswith("`near` leads to parts_of_it.models.Near: `bads` leads to")
    assert reasons["Far"].endswith(reasons["Bad"])
    assert reasons["Bad"].startswith("field `Bad.hook`: ")


def test_causes_are_counted_at_their_root(coverage: Coverage) -> None:
    counts = coverage.reasons()
    (callable_,) = [cause for cause in counts if "Callable" in cause]
    assert counts[callable_] == 5  # Bad, Near, Far, leading, failing
    assert sum(counts.values()) == 6


def test_modules_that_fail_to_import_are_told_and_programs_are_not_run(coverage: Coverage) -> None:
    assert list(coverage.unimportable) == ["parts_of_it.broken"]
    assert "there_is_no_such_module" in coverage.unimportable["parts_of_it.broken"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(command.__file__).parents[1]), str(folder)])
    return subprocess.run(
        [sys.executable, "-m", "synapse_bridge", "coverage", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_json(folder: Path, coverage: Coverage) -> None:
    done = run(folder, "parts_of_it", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == coverage.to_json()
    first = json.loads(done.stdout)["models"][0]
    assert set(first) == {"name", "mapped", "reason"}


def test_the_command_prints_tables_for_people(folder: Path) -> None:
    done = run(folder, "parts_of_it")
    assert done.returncode == 0, done.stderr
    assert "3 of 6 models mapped, 1 of 4 functions mapped" in done.stdout
    assert "parts_of_it.broken cannot be imported" in done.stdout


def test_a_package_that_is_not_there_is_a_mistake(folder: Path) -> None:
    done = run(folder, "no_such_package")
    assert done.returncode == 2
    assert "no module `no_such_package`" in done.stderr
    assert "Traceback" not in done.stderr
