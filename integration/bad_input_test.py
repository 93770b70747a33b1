"""What newcomers can do wrong, through the whole tool: a message, exit code 2, no half output."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen, run

import pytest
from samples import Bridges, python_environment, synapse_bridge

GOOD = '''
def double(value: int) -> int:
    """Doubles a number."""
    return 2 * value
'''


@pytest.fixture(scope="module")
def veteran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``mine.py`` and the bridge that was made of it."""
    folder = tmp_path_factory.mktemp("veteran")
    (folder / "mine.py").write_text(GOOD)
    done = generate(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def user(veteran: Path, tmp_path: Path) -> Path:
    """The folder of somebody who has a module, ``mine.py``, and made a bridge of it before."""
    return Path(shutil.copytree(veteran, tmp_path / "user"))


def generate(folder: Path, *arguments: str) -> CompletedProcess[str]:
    """``synapse_bridge generate`` in a folder; ``--module=mine`` where nothing else is said."""
    selection = arguments or ("--module=mine",)
    return synapse_bridge("generate", "--out=out", *selection, sources=folder, cwd=folder)


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file but the user's own."""
    skipped = {folder / "mine.py"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in skipped and "__pycache__" not in path.parts
    }


def assert_refused(done: CompletedProcess[str], *parts: str) -> None:
    """The user's mistake is told, in these words, without a traceback into the tool."""
    message = " ".join((done.stderr + done.stdout).split())
    assert done.returncode == 2, message
    for part in parts:
        assert part in message
    assert "synapse_bridge/" not in message, "the message leads into the tool's own code"


REFUSED = {
    "an untyped parameter": (
        "def f(value) -> int:\n    return 1\n",
        ["mine.py:1", "value", "f"],
    ),
    "an untyped result": (
        "def f(value: int):\n    return value\n",
        ["mine.py:1", "f"],
    ),
    "an unsupported annotation": (
        "def f(value: complex) -> int:\n    return 1\n",
        ["mine.py:1", "complex", "value"],
    ),
    "an unsupported annotation deep in a model": (
        "from pydantic import BaseModel\n"
        "class Inner(BaseModel):\n"
        "    fine: int\n"
        "    odd: dict[str, list[complex]]\n"
        "class Outer(BaseModel):\n"
        "    inner: Inner\n"
        "def f(value: Outer) -> int:\n"
        "    return 1\n",
        ["mine.py:4", "complex", "odd"],
    ),
    "an annotation that names nothing": (
        "from __future__ import annotations\ndef f(value: Nothing) -> int:\n    return 1\n",
        ["mine.py:2", "Nothing"],
    ),
    "variadic parameters": (
        "def f(*values: int) -> int:\n    return 1\n",
        ["mine.py:1", "values"],
    ),
    "functions that meet after camelizing": (
        "def do_it(v: int) -> int:\n    return v\ndef doIt(v: int) -> int:\n    return v\n",
        ["do_it", "doIt"],
    ),
    "a module without functions": (
        "value = 1\n",
        ["mine"],
    ),
    "a syntax error": (
        "def f(value: int -> int:\n    return 1\n",
        ["mine.py", "SyntaxError"],
    ),
    "an import error in the user's module": (
        "import nothing_of_this_name\n",
        ["mine.py", "line 1", "nothing_of_this_name"],
    ),
    "an exception at import": (
        "def boom():\n    raise RuntimeError('no licence')\nboom()\n",
        ["mine.py", "line 2", "line 3", "RuntimeError: no licence"],
    ),
    "a module that exits at import": (
        "import sys\nsys.exit('bye')\n",
        ["mine.py", "SystemExit"],
    ),
}


@pytest.mark.parametrize(("text", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_a_module_that_cannot_be_bridged_is_refused(
    user: Path, text: str, parts: list[str]
) -> None:
    before = outputs(user)
    (user / "mine.py").write_text(text)

    assert_refused(generate(user), *parts)
    assert outputs(user) == before


def test_a_missing_module_is_told(user: Path) -> None:
    before = outputs(user)
    assert_refused(generate(user, "--module=mina"), "mina")
    assert_refused(generate(user, "--module=mine.sub"), "mine.sub")
    assert_refused(generate(user, "--module=mine:objekt"), "objekt")
    assert outputs(user) == before


def test_a_missing_function_is_told_with_the_nearest(user: Path) -> None:
    done = generate(user, "--module=mine", "--function=duoble")
    assert_refused(done, "duoble", "double")


def test_a_wrong_option_is_told(user: Path) -> None:
    assert_refused(generate(user, "--modul=mine"), "--modul")
    assert_refused(generate(user, "--module=mine", "--elixir-module=my agent"), "my agent")


def test_a_wrong_key_of_the_configuration_is_told_with_the_nearest(user: Path) -> None:
    (user / "synapse.yaml").write_text("modul: mine\n")
    assert_refused(generate(user, "--config=synapse.yaml"), "synapse.yaml", "modul", "module")


def test_an_output_folder_with_the_files_of_somebody_is_left_alone(user: Path) -> None:
    (user / "papers").mkdir()
    (user / "papers" / "thesis.txt").write_text("four years of work")
    before = outputs(user)
    assert_refused(generate(user, "--module=mine", "--out=papers"), "papers", "thesis.txt")
    assert outputs(user) == before


def test_what_was_built_in_the_output_folder_stays_there(user: Path) -> None:
    (user / "out" / "elixir" / "_build").mkdir()
    (user / "out" / "elixir" / "_build" / "beam").write_text("compiled")
    before = outputs(user)
    assert generate(user).returncode == 0
    assert outputs(user) == before


def test_a_port_in_use_is_told(bridges: Bridges) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bridge = bridges["greeter"]
        done = run(
            [sys.executable, bridge.server, f"--port={port}"],
            env=bridge.sample.environment,
            stdin=DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert_refused(done, str(port), "in use")


def test_a_server_whose_module_breaks_tells_why(bridges: Bridges, user: Path) -> None:
    (user / "mine.py").write_text("import nothing_of_this_name\n")
    done = run(
        [sys.executable, "out/python/mine_server.py", "--port=0"],
        cwd=user,
        env=python_environment(user),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "nothing_of_this_name" in done.stderr


def test_a_server_ends_with_the_process_that_started_it(bridges: Bridges, tmp_path: Path) -> None:
    bridge = bridges["greeter"]
    server = Popen(
        [sys.executable, bridge.server, "--port=0", "--exit-with-parent"],
        env=bridge.sample.environment,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    assert "listening on 127.0.0.1:" in server.stdout.readline()
    server.stdin.close()
    assert server.wait(timeout=15) == 0
    server.stdout.close()
