"""Whatever buf finds in two generated ``.proto`` files of random versions is found here, too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from synapse_bridge.compatibility import compare
from synapse_bridge.compatibility.conftest import History
from synapse_bridge.compatibility.versions import edited, specs
from synapse_bridge.contract.model import Contract
from synapse_bridge.generate import proto_files
from synapse_bridge.generate.testing import BUF
from synapse_bridge.lock import EMPTY

CONFIGURATION = "version: v2\nbreaking:\n  use:\n    - WIRE_JSON\n"


def found_by_buf(folder: Path, old: Contract, new: Contract) -> set[str]:
    """The rules of ``WIRE_JSON`` that buf finds broken."""
    for name, contract in (("old", old), ("new", new)):
        module = folder / name
        module.mkdir(exist_ok=True)
        (module / "buf.yaml").write_text(CONFIGURATION)
        for file, text in proto_files.emit(contract, rules=False, flat=True).items():
            (module / file).write_text(text, "utf-8")
    done = subprocess.run(
        [str(BUF), "breaking", "new", "--against", "old", "--error-format", "json"],
        cwd=folder,
        env={"HOME": str(folder), **os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 100), done.stderr
    return {json.loads(line)["type"] for line in done.stdout.splitlines()}


@pytest.mark.skipif(BUF is None, reason="needs buf (build-support/buf)")
@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.data(), st.booleans())
def test_what_buf_finds_is_found(
    history: History, tmp_path: Path, data: st.DataObject, locked: bool
) -> None:
    old = data.draw(specs())
    new = data.draw(edited(old))
    first = history.version(old.source())
    lock = first.lock if locked else EMPTY
    second = history.version(new.source(), lock, renamed=new.renamed)
    findings = compare(first.contract, second.contract)
    ours = {finding.rule_id for finding in findings}
    known = {name for finding in findings for name in finding.rule.buf}
    # buf goes by numbers alone, and sees members that changed places as others of that number.
    moved = ours & {"FIELD_SAME_NUMBER", "ENUM_VALUE_SAME_NUMBER"}
    assert moved or found_by_buf(tmp_path, first.contract, second.contract) <= known, ours
