"""``lock`` as a user runs it."""

from __future__ import annotations

from pathlib import Path

from synapse_bridge.commands.conftest import Run

FIRST = """
from pydantic import BaseModel

class Item(BaseModel):
    sku: str
    size: int

def price(item: Item) -> int: ...
"""
SECOND = FIRST.replace("sku: str\n    size: int", "weight: float = 1.0\n    sku: str")


def test_the_lock_is_written_told_and_applied(run: Run, tmp_path: Path) -> None:
    module = tmp_path / "shop.py"
    module.write_text(FIRST)
    code, text = run("lock", "--module", "shop")
    assert (code, text.split("\n")[-2]) == (0, "synapse.lock.json is written")
    assert "shop: + shop.Item: field `sku` gets 1" in text
    assert run("lock", "--module", "shop") == (0, "synapse.lock.json is current\n")
    assert run("lock", "--module", "shop", "--check")[0] == 0

    module.write_text(SECOND)
    code, text = run("lock", "--module", "shop", "--check")
    assert code == 1
    assert text.split("\n")[:-1] == [
        "synapse.lock.json is stale",
        "  shop: + shop.Item: field `weight` gets 3",
        "  shop: - shop.Item: 2 is reserved; it was field `size`",
        "  shop: ~ the contract",
        "  → run `synapse_bridge lock` (in Pants: `synapse-lock`), and commit the file",
    ]
    assert run("generate", "--module", "shop")[0] == 0
    (proto,) = tmp_path.glob("synapse_out/proto/shop/**/*.proto")
    lines = [line.strip() for line in proto.read_text().split("\n")]
    for line in ("reserved 2;", 'reserved "size";', "optional double weight = 3;"):
        assert line in lines


def test_a_lock_that_is_not_there_is_stale(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FIRST)
    code, text = run("lock", "--module", "shop", "--check")
    assert code == 1
    assert text.startswith("synapse.lock.json does not exist\n")


def test_all_modules_of_the_configuration_share_a_lock(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FIRST)
    (tmp_path / "store.py").write_text(FIRST)
    (tmp_path / "locks").mkdir()
    (tmp_path / "synapse.yaml").write_text(
        "modules: {shop: {}, store: {}}\nlock: locks/numbers.json\n"
    )
    code, text = run("lock")
    assert code == 0, text
    (tmp_path / "store.py").write_text(SECOND)
    code, text = run("lock", "--check")
    assert code == 1
    assert "store: + store.Item" in text
    assert "shop: " not in text.replace("store", "")
    assert run("lock", "--module", "shop", "--check")[0] == 0


def test_a_rename_of_the_configuration_keeps_the_number(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FIRST)
    run("lock", "--module", "shop")
    (tmp_path / "shop.py").write_text(FIRST.replace("size", "length"))
    (tmp_path / "synapse.yaml").write_text("renamed:\n  shop.Item.length: size\n")
    code, text = run("lock", "--module", "shop")
    assert code == 0
    assert "~ shop.Item: field `length` keeps 2, which was `size`'s" in text


def test_a_lock_that_is_named_must_exist(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FIRST)
    code, text = run("inspect", "--module", "shop", "--lock", "nowhere.json")
    assert code == 2
    assert text.startswith("synapse_bridge: nowhere.json: it cannot be read")


def test_a_broken_lock_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FIRST)
    run("lock", "--module", "shop")
    lock = tmp_path / "synapse.lock.json"
    lock.write_text(lock.read_text().replace('"size": 2', '"size": 1'))
    code, text = run("generate", "--module", "shop")
    assert code == 2
    assert "synapse.lock.json:10: `sku` of shop.Item has the number 1, and so has `size`" in text
