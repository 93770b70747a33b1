"""What is generated, to the byte: ``testdata/golden/<case>`` holds a Python module and its outputs.

There is a case for each row of the type registry, for real services, and for documentation that
wants to be code. After an intended change, write them anew and read the difference::

    UPDATE_GOLDEN=1 python -m pytest src/synapse_bridge/generate/golden_test.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synapse_bridge.contract.registry import ROWS
from synapse_bridge.contract.schema import from_json, to_json
from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import CASES, GOLDEN, Case

# What changes with the version of protoc or protovalidate is none of ours.
_FROM_OTHERS = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "buf/validate/validate.proto")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_output_is_as_it_was(case: Case) -> None:
    generated = {
        path: text.encode() if isinstance(text, str) else text
        for path, text in generate(case.contract()).items()
        if not path.endswith(_FROM_OTHERS)
    }
    if os.environ.get("UPDATE_GOLDEN"):
        _write(case.folder, generated)
    assert sorted(generated) == sorted(_stored(case.folder))
    for path, text in generated.items():
        stored = (case.folder / path).read_bytes()
        assert text.decode() == stored.decode(), f"{case.name}/{path} changed (UPDATE_GOLDEN=1?)"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_text_is_tidy(case: Case) -> None:
    for path, text in generate(case.contract()).items():
        if path.endswith(_FROM_OTHERS):
            continue
        assert isinstance(text, str)
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert not [line for line in text.split("\n") if line != line.rstrip()], path


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_contracts_come_back_from_their_json(case: Case) -> None:
    assert from_json(to_json(case.contract())) == case.contract()


def test_equal_contracts_give_equal_bytes() -> None:
    contract = CASES["orders"].contract()
    assert generate(contract) == generate(contract)


def test_every_row_of_the_registry_has_a_case() -> None:
    assert {row for case in CASES.values() for row in case.row.split()} >= set(ROWS)


def _stored(folder: Path) -> set[str]:
    outputs = ("contract.json", "proto/**/*", "python/**/*", "elixir/**/*", "elixir/.*")
    files = {path for pattern in outputs for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(folder).as_posix() for path in files}


def _write(folder: Path, generated: dict[str, bytes]) -> None:
    for stale in _stored(folder) - set(generated):
        (folder / stale).unlink()
    for path, content in generated.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


assert GOLDEN.is_dir()
