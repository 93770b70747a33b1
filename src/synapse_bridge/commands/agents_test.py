"""Agents on the command line and in the configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., "tuple[int, str]"]

_BOTS = """\
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

support_agent = Agent(TestModel())


@support_agent.tool_plain
def look(order: int) -> str:
    return str(order)


def ping() -> str:
    return "pong"
"""


def _methods(text: str) -> list[str]:
    return [method["name"] for method in json.loads(text)["x-synapse-service"]["methods"]]


_RUNS = [
    f"support_{role}" for role in ("run", "run_stream", "session", "dump_messages", "load_messages")
]


def test_an_agent_alone_is_all_of_its_service(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bots.py").write_text(_BOTS)
    code, text = run("inspect", "--agent", "bots:support_agent", "--json")
    assert (code, _methods(text)) == (0, _RUNS)
    options = ("--agent", "bots:support_agent", "--model", "a:b", "--expose-tools")
    code, text = run("inspect", "--module", "bots", *options, "--json")
    assert _methods(text) == ["ping", *_RUNS, "support_look"]
    assert json.loads(text)["x-synapse-agents"][0]["models"] == ["a:b"]


def test_the_configuration_names_agents_and_the_lock_keeps_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bots.py").write_text(_BOTS)
    (tmp_path / "synapse.yaml").write_text(
        "modules:\n  bots:\n    agents:\n      support_agent: {name: helper, tools: expose}\n"
        "    methods:\n      helper_run: {timeout: 5m}\n      helper_look: {idempotent: true}\n"
    )
    code, text = run("lock")
    assert code == 0, text
    assert run("lock", "--check")[0] == 0
    code, text = run("inspect", "--json")
    methods = {one["name"]: one for one in json.loads(text)["x-synapse-service"]["methods"]}
    assert methods["helper_run"]["timeout_ms"] == 300_000
    assert methods["helper_look"]["idempotent"]
    code, text = run("diff", "synapse.lock.json")
    assert code == 0, text


_WITHOUT = """\
import sys
sys.modules["pydantic_ai"] = None  # so that importing it fails
from synapse_bridge.cli import main
try:
    sys.argv[1:] = ["generate", "--module", "plain", "--out", "out"]
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
sys.path.insert(0, "out/python")
import plain_server
print(plain_server.SERVICE.name)
"""


def test_nothing_else_wants_pydantic_ai(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def ping(n: int) -> int:\n    return n\n")
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("plain.v1.PlainService\n")


def test_mistakes_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bots.py").write_text(_BOTS)
    for arguments, told in (
        (("--agent", "bots"), "`--agent bots` names no agent"),
        (("--agent", "bots:helper"), "`bots` has no agent `helper`"),
        (("--agent", "bots:ping"), "is no agent but `function`"),
        (("--agent", "bots:x", "--agent", "other:y"), "these are several: bots, other"),
        (("--module", "bots", "--expose-tools"), "go with `--agent`"),
        (("--agent", "bots:support_agent", "--deps-factory", "bots:make"), "has no `make`"),
        (("--agent", "bots:support_agent", "--model", ""), "`--model` without a name"),
    ):
        code, text = run("inspect", *arguments)
        assert code == 2
        assert told in text
