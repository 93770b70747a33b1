"""The tools of ``testdata/tooling.py``: ``testdata/tools.json`` holds them, to the byte.

After an intended change, write them anew and read the difference::

    UPDATE_GOLDEN=1 python -m pytest src/synapse_bridge/mcp/tools_test.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from synapse_bridge.generate.testing import CASES, Case, importable
from synapse_bridge.introspect import introspect
from synapse_bridge.mcp.tools import tools

TESTDATA = Path(__file__).parent / "testdata"


def test_tools_are_as_they_were() -> None:
    with importable(TESTDATA):
        made, others = tools(introspect("tooling"))
    listed = {
        "tools": [
            {
                "name": tool.name,
                "description": tool.description,
                "input": tool.input,
                "output": tool.output,
            }
            for tool in made
        ],
        "others": {one.name: one.reason for one in others},
    }
    text = json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    file = TESTDATA / "tools.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file.name} changed (UPDATE_GOLDEN=1?)"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_schemas_are_closed_and_for_models_alone(case: Case) -> None:
    made, _ = tools(case.contract())
    for schema in [one for tool in made for one in (tool.input, tool.output) if one is not None]:
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        text = json.dumps(schema)
        assert "x-synapse" not in text
        wanted = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
        assert wanted == schema.get("$defs", {}).keys()


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("secrets", {"it gives away a secret, which a model would read"}),
        ("tensors", {"JSON has no numpy arrays"}),
        ("tuples", {"an object of JSON has texts as keys, and these have more in them"}),
    ],
)
def test_what_json_cannot_say_is_no_tool(case: str, reasons: set[str]) -> None:
    _, others = tools(CASES[case].contract())
    assert {one.reason for one in others} == reasons
