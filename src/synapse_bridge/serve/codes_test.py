"""The table of codes in the documentation is the one in the code."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import grpc
import pytest

from synapse_bridge.context import Cancelled
from synapse_bridge.serve.failure import CODES, code_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "errors.md"


def test_every_row_is_documented_and_every_documented_row_is_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Exceptions in Python")[2]
    rows = re.findall(r"^\| (`.*?) \| `:(\w+)` \|$", text.partition("A class can")[0], re.MULTILINE)
    found = {}
    for names, code in rows:
        for name in re.findall(r"`([\w.]+)`", names):
            local = name.removeprefix("synapse_bridge.")
            found[getattr(builtins, local, Cancelled)] = grpc.StatusCode[code.upper()]
    assert found.keys() >= CODES.keys()
    assert found == {cls: code_of(cls) for cls in found}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ABORTED", grpc.StatusCode.ABORTED),
        (grpc.StatusCode.DATA_LOSS, grpc.StatusCode.DATA_LOSS),
        ("aborted", grpc.StatusCode.NOT_FOUND),
        ("OK", grpc.StatusCode.NOT_FOUND),
        (7, grpc.StatusCode.NOT_FOUND),
    ],
)
def test_a_class_may_say_its_own(code: object, expected: grpc.StatusCode) -> None:
    assert code_of(type("Own", (KeyError,), {"grpc_code": code})) == expected
