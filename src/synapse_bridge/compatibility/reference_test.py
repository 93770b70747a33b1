"""The documented rules are those of the table, and they cover buf's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from synapse_bridge.compatibility.report import reference
from synapse_bridge.compatibility.rules import RULES, Rule
from synapse_bridge.generate.testing import BUF

PAGE = next(
    page
    for folder in Path(__file__).resolve().parents
    if (page := folder / "docs" / "compatibility.md").exists()
)
BEGIN, END = "<!-- begin: rules -->\n", "<!-- end: rules -->"

# Of buf's category WIRE_JSON, what nothing in Python can change: generated files are proto3 in one
# syntax, and never set these options.
NOT_FROM_PYTHON = {"ENUM_SAME_JSON_FORMAT", "MESSAGE_SAME_JSON_FORMAT"}
WIRE_JSON = {
    "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
    "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
    "ENUM_VALUE_SAME_NAME",
    "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
    "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
    "FIELD_SAME_DEFAULT",
    "FIELD_SAME_JSON_NAME",
    "FIELD_SAME_NAME",
    "FIELD_SAME_ONEOF",
    "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
    "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
    "FILE_SAME_PACKAGE",
    "MESSAGE_SAME_REQUIRED_FIELDS",
    "RESERVED_ENUM_NO_DELETE",
    "RESERVED_MESSAGE_NO_DELETE",
    "RPC_SAME_CLIENT_STREAMING",
    "RPC_SAME_IDEMPOTENCY_LEVEL",
    "RPC_SAME_REQUEST_TYPE",
    "RPC_SAME_RESPONSE_TYPE",
    "RPC_SAME_SERVER_STREAMING",
}


def test_the_page_shows_the_rules() -> None:
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    rules, after = rest.split(END)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(before + BEGIN + reference() + END + after, "utf-8")
        return
    assert rules == reference(), "docs/compatibility.md is stale: run this with UPDATE_GOLDEN=1"


def test_every_rule_of_bufs_wire_json_is_covered() -> None:
    assert {name for rule in RULES.values() for name in rule.buf} == WIRE_JSON


@pytest.mark.skipif(BUF is None, reason="needs buf (build-support/buf)")
def test_bufs_wire_json_is_what_buf_says(tmp_path: Path) -> None:
    (tmp_path / "buf.yaml").write_text("version: v2\nbreaking:\n  use:\n    - WIRE_JSON\n")
    done = subprocess.run(
        [str(BUF), "config", "ls-breaking-rules", "--configured-only"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), **os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    _, *rules = (line.split()[0] for line in done.stdout.splitlines())
    assert {*rules} == WIRE_JSON | NOT_FROM_PYTHON


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_has_a_reason_and_a_fix(rule: Rule) -> None:
    for text in (rule.summary, rule.reason, rule.fix):
        assert text[0].isupper()
        assert text.endswith(".")
