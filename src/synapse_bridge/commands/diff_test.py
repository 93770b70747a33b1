"""``diff`` as a user runs it, in a repository of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from synapse_bridge.commands.conftest import Run

FIRST = """
from pydantic import BaseModel

class Item(BaseModel):
    sku: str
    size: int = 0

def price(item: Item) -> int: ...
"""
BROKEN = FIRST.replace("size: int = 0", "size: int")
RENAMED = FIRST.replace("def price", "def kept() -> None: ...\ndef price")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(FIRST)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "shop.py").write_text(BROKEN)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "First")
    git(tmp_path, "tag", "v1")
    return tmp_path


def test_sources_are_compared_with_a_revision(run: Run, repository: Path) -> None:
    assert run("diff", "HEAD", "--module", "shop") == (0, "no change\n")
    (repository / "shop.py").write_text(BROKEN)
    code, text = run("diff", "v1", "--module", "shop")
    assert code == 1
    assert text == (
        "wire-breaking:\n"
        "  shop.Item.size: `size: int = 0` became `size: int` (FIELD_MADE_REQUIRED)\n"
        "    Old clients that leave the value out are refused.\n"
        "    → Keep a default.\n"
        "1 wire-breaking, 0 source-breaking, 0 safe\n"
    )


def test_revisions_have_folders(run: Run, repository: Path) -> None:
    code, text = run("diff", "v1", "v1:sub", "--module", "shop", "--json")
    assert code == 1
    document = json.loads(text)
    assert [finding["rule"] for finding in document["findings"]] == ["FIELD_MADE_REQUIRED"]
    assert document["summary"] == {"wire": 1, "source": 0, "safe": 0}


def test_contracts_and_locks_are_compared(run: Run, repository: Path) -> None:
    assert run("lock", "--module", "shop")[0] == 0
    (repository / "shop.py").write_text(RENAMED)
    assert run("inspect", "--module", "shop", "--output", "new.json")[0] == 0
    code, text = run("diff", "synapse.lock.json", "new.json")
    assert code == 0
    assert "shop.kept: rpc `Kept` is new (RPC_ADDED)" in text
    assert text.endswith("0 wire-breaking, 0 source-breaking, 1 safe\n")


@pytest.mark.parametrize(("fail_on", "code"), [("wire", 0), ("source", 1), ("never", 0)])
def test_the_exit_code_is_what_was_asked_for(
    run: Run, repository: Path, fail_on: str, code: int
) -> None:
    (repository / "shop.py").write_text(FIRST.replace("Item", "Article"))
    assert run("diff", "HEAD", "-m", "shop", "--fail-on", fail_on)[0] == code


def test_mistakes_are_told(run: Run, repository: Path) -> None:
    code, text = run("diff", "nowhere", "--module", "shop")
    assert code == 2
    assert "`nowhere` is neither a file nor a git revision" in text
    code, text = run("diff", "HEAD", "--module", "store")
    assert code == 2
    assert text.startswith("synapse_bridge: `HEAD` gives no contract:")
    assert "there is no module `store`" in text
    assert "`HEAD` has no folder `no`" in run("diff", "HEAD:no", "--module", "shop")[1]
    run("lock", "--module", "shop")
    code, text = run("diff", "synapse.lock.json", "HEAD", "--module", "store")
    assert "synapse.lock.json has no service `store`, but: shop" in text
