"""The documented type table is the registry's."""

from __future__ import annotations

import os
from pathlib import Path

from synapse_bridge.contract.reference import type_table

PAGE = next(
    page
    for folder in Path(__file__).resolve().parents
    if (page := folder / "docs" / "types.md").exists()
)
BEGIN, END = "<!-- begin: type table -->\n", "<!-- end: type table -->"


def test_the_page_shows_the_registry() -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(before + BEGIN + type_table() + END + after)
        return
    assert table == type_table(), "docs/types.md is stale: run this test with UPDATE_GOLDEN=1"
