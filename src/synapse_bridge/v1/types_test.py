"""The module beside ``types.proto`` is what protoc makes of it.

After a change of the file, or of protoc's version, write it anew::

    UPDATE_GOLDEN=1 python -m pytest src/synapse_bridge/v1/types_test.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs

from synapse_bridge.v1 import types_pb2

HERE = Path(__file__).parent
# protoc writes Mapping without type arguments, which mypy refuses when it is strict.
STUB_HEAD = '# mypy: disable-error-code="type-arg"\n'


@pytest.mark.parametrize(("name", "head"), [("types_pb2.py", ""), ("types_pb2.pyi", STUB_HEAD)])
def test_the_module_is_protocs(name: str, head: str, tmp_path: Path) -> None:
    file = types_pb2.DESCRIPTOR.name
    source = tmp_path / file
    source.parent.mkdir(parents=True)
    source.write_bytes((HERE / "types.proto").read_bytes())
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi")]
    assert protoc.main(["protoc", f"-I{tmp_path}", *outputs, file]) == 0
    made = head + (source.parent / name).read_text()
    if os.environ.get("UPDATE_GOLDEN"):
        (HERE / name).write_text(made)
    assert (HERE / name).read_text() == made, "run this test with UPDATE_GOLDEN=1"
