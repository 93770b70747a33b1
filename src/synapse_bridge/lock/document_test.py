"""The lock file: stable, and refused with a line where it was edited into something else."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from synapse_bridge.lock import Lock, LockError, Retired, ServiceLock, Table, read, to_text
from synapse_bridge.lock.document import document_schema, from_text

ORDER = Table({"b": 2, "a": 1}, {10: Retired("x", ""), 9: Retired("y", "s")})
LOCK = Lock(
    {
        "shop": ServiceLock(
            {
                "messages": {
                    "shop.Order": Table(
                        {"b": 2, "a": 1}, {10: Retired("x", ""), 9: Retired("y", "s")}
                    ),
                    "shop.Item": Table({"sku": 1}),
                },
                "enums": {"shop.Currency": Table({"EUR": 1})},
                "unions": {"shop.Order.pay": Table({"card": 1})},
            },
            {"shop.price": "Price"},
            {"$defs": {"shop.Order": {"b": 1, "a": 2}}, "type": "object"},
        )
    }
)
TEXT = to_text(LOCK)


def refused(text: str) -> str:
    with pytest.raises(LockError) as caught:
        from_text(text, "synapse.lock.json")
    return str(caught.value)


def line_of(part: str) -> int:
    return next(n for n, line in enumerate(TEXT.split("\n"), 1) if part in line)


def test_a_lock_is_read_as_it_was_written() -> None:
    assert from_text(TEXT, "") == LOCK
    assert to_text(from_text(TEXT, "")) == TEXT


def test_it_is_sorted_whatever_the_order_it_was_made_in() -> None:
    service = LOCK.service("shop")
    tables = {
        kind: dict(sorted(owners.items())) for kind, owners in reversed([*service.tables.items()])
    }
    again = ServiceLock(tables, service.methods, service.contract)
    assert to_text(Lock({"shop": again})) == TEXT


def test_each_member_has_a_line() -> None:
    lines = [line.strip() for line in TEXT.split("\n")]
    for line in ('"a": 1,', '"b": 2', '"9": {"name": "y", "shape": "s"},', '"EUR": 1'):
        assert line in lines
    assert '"shop.Order": {"a": 2, "b": 1}' in lines, "a definition of the contract is one line"


def test_it_fits_its_schema() -> None:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(TEXT), schema)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"b": 2', '"b": 1', "`b` of shop.Order has the number 1, and so has `a`"),
        ('"b": 2', '"b": 9', "`b` of shop.Order has the number 9, which is reserved"),
        ('"b": 2', '"b": 19500', "protobuf keeps the number 19500"),
        ('"b": 2', '"b": 0', "0 is less than the minimum of 1"),
        ('"b": 2', '"b": "2"', "'2' is not of type 'integer'"),
        ('"b": 2', '"b": 2,\n          "a": 3', "`a` stands twice; the first is in line "),
        ('"version": 1', '"version": 2', "it is a lock of version 2"),
        ('"EUR": 1', '"EUR": 1 1', "it is not JSON: Expecting ',' delimiter"),
    ],
)
def test_a_broken_lock_is_refused_with_its_line(old: str, new: str, told: str) -> None:
    message = refused(TEXT.replace(old, new, 1))
    line = line_of(old) + new.count("\n")
    assert message.startswith(f"synapse.lock.json:{line}: ")
    assert told in message


def test_an_unfinished_merge_is_told_as_that() -> None:
    merge = '\n<<<<<<< ours\n"b": 2\n=======\n"c": 2\n>>>>>>> theirs'
    assert "keep the lines of both sides" in refused(TEXT.replace('"b": 2', merge))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="it cannot be read"):
        read(tmp_path / "nowhere.json")
