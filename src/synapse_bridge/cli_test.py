"""The command line, run as a user runs it: what it prints, where it writes, how it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import grpc
import jsonschema
import pytest

from synapse_bridge import __main__ as command
from synapse_bridge import __version__
from synapse_bridge.contract.schema import document_schema, from_json

SOURCE = Path(command.__file__).parents[1]
MODULE = '''
"""Doubles things."""

from pydantic import BaseModel, Field


class Pair(BaseModel):
    """Two numbers."""

    left: int = Field(ge=0, description="The first.")
    right: int = 1


def double(pair: Pair, *, times: int = 2) -> list[int]:
    """Doubles a pair."""
    return [pair.left * times, pair.right * times]


class Desk:
    def greet(self, name: str) -> str:
        """Greets."""
        return f"Hello, {name}!"


desk = Desk()
'''

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SOURCE), "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MODULE)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs the command in the folder that has ``mine.py``."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-B", "-m", "synapse_bridge", *arguments],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, (result.stdout, result.stderr)
    assert "synapse_bridge/" not in result.stderr
    return result.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# inspect


def test_inspect_prints_the_contract_for_people(run: Run) -> None:
    text = done(run("inspect", "--module", "mine"))
    for part in (
        "mine.v1.MineService",
        "def double(pair: Pair, times: int = 2) -> list[int]",
        "Mine.double(pair, opts \\\\ []) :: {:ok, [integer()]} | {:error, SynapseBridge.Error.t()}",
        "rpc Double, mine.py:14",
        "Doubles a pair.",
        "mine.Pair → Mine.Pair",
        "Two numbers.",
        "The first.",
        "ge=0",
    ):
        assert part in text


def test_inspect_json_is_a_contract(run: Run, folder: Path) -> None:
    text = done(run("inspect", "--module", "mine", "--json"))
    jsonschema.Draft202012Validator(document_schema()).validate(json.loads(text))
    assert from_json(text).service.elixir == "Mine"
    done(run("inspect", "--module", "mine", "--output", "c.json"))
    assert (folder / "c.json").read_text() == text
    assert done(run("inspect", "--contract", "c.json", "--json")) == text


def test_inspect_selects_functions_and_objects(run: Run) -> None:
    contract = from_json(done(run("inspect", "-m", "mine:desk", "-f", "greet", "--json")))
    assert [method.function for method in contract.service.methods] == ["desk.greet"]


def test_what_the_module_prints_does_not_mix_with_json(run: Run, folder: Path) -> None:
    (folder / "mine.py").write_text("print('loading')\ndef f(x: int) -> int: ...\n")
    result = run("inspect", "--module", "mine", "--json")
    from_json(done(result))
    assert result.stderr == "loading\n"


# generate


def test_generate_writes_everything(run: Run, folder: Path) -> None:
    text = done(run("generate", "--module", "mine", "--elixir-module", "MyApp.Mine"))
    assert text == f"MyApp.Mine: {len(files(folder / 'synapse_out')) - 1} files in synapse_out\n"
    found = files(folder / "synapse_out")
    for name in (
        "contract.json",
        "proto/my_app/mine/v1/my_app_mine.proto",
        "python/my_app_mine_server.py",
        "python/my_app_mine_pb2.py",
        "elixir/mix.exs",
        "elixir/lib/my_app_mine.ex",
    ):
        assert name in found


def test_generate_gives_the_same_bytes_again(run: Run, folder: Path) -> None:
    done(run("generate", "--module", "mine", "--out", "a"))
    done(run("inspect", "--module", "mine", "--output", "c.json"))
    done(run("generate", "--contract", "c.json", "--out", "b"))
    assert files(folder / "a") == files(folder / "b")


def test_the_configuration_is_found_and_the_command_line_goes_first(run: Run, folder: Path) -> None:
    (folder / "synapse.yaml").write_text(
        "modules:\n  mine:\n    elixir: Acme\n    service: Desk\n    functions: {double: twice}\n"
        "types:\n  mine.double.times: float\n"
    )
    contract = from_json(done(run("inspect", "--json")))
    assert contract.service.full_name == "acme.v1.Desk"
    assert contract.service.methods[0].elixir == "twice"
    assert "times: float" in done(run("inspect"))
    contract = from_json(done(run("inspect", "--module=mine", "--elixir-module=Other", "--json")))
    assert (contract.service.elixir, contract.service.proto) == ("Other", "Desk")


# What is the user's to correct.

MISTAKES: dict[str, tuple[str | None, list[str], list[str]]] = {
    "a missing module": (None, ["--module=mime"], ["no module `mime`", "did you mean `mine`?"]),
    "a missing object": (None, ["--module=mine:dask"], ["mine.py", "did you mean `desk`?"]),
    "a missing function": (
        None,
        ["--module=mine", "--function=duoble"],
        ["mine.py", "no function `duoble`", "did you mean `double`?"],
    ),
    "no module": (None, [], ["--module MODULE"]),
    "a module and a contract": (None, ["--module=mine", "--contract=c.json"], ["--contract"]),
    "a missing contract": (None, ["--contract=c.json"], ["c.json", "No such file"]),
    "a contract that is none": (None, ["--contract=mine.py"], ["mine.py", "not JSON"]),
    "a missing configuration": (None, ["--module=mine", "--config=c.yaml"], ["c.yaml", "No such"]),
    "an unknown option": (None, ["--modul=mine"], ["--modul"]),
    "a wrong Elixir module": (None, ["--module=mine", "--elixir-module=my_app"], ["`my_app`"]),
    "an import error": (
        "import nothing_of_this_name\n",
        ["--module=mine"],
        ['mine.py", line 1', "No module named 'nothing_of_this_name'"],
    ),
    "a syntax error": ("def f(:\n", ["--module=mine"], ['mine.py", line 1', "SyntaxError"]),
    "an exit at import": ("exit(3)\n", ["--module=mine"], ["SystemExit: 3", "__main__"]),
    "an untyped parameter": (
        "def f(x: int,\n      y) -> int: ...\n",
        ["--module=mine"],
        ["mine.py:2: parameter `y` of `f`", "it has no annotation", "write `y: …`"],
    ),
    "an unsupported annotation": (
        "def f(x: 'list[complex]') -> int: ...\n",
        ["--module=mine"],
        ["mine.py:1: parameter `x` of `f`: `list[complex]`", "`complex`", "two floats"],
    ),
    "functions that meet": (
        "def do_it() -> int: ...\ndef doIt() -> int: ...\n",
        ["--module=mine"],
        ["mine.py:2: function `doIt`", "function `do_it` (mine.py:1)"],
    ),
    "a reserved Elixir module": (
        None,
        ["--module=mine", "--elixir-module=Kernel"],
        ["`Kernel` is taken by Elixir itself", "--elixir-module MyApp.Kernel"],
    ),
}


@pytest.mark.parametrize(("source", "arguments", "parts"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_and_changes_nothing(
    run: Run, folder: Path, source: str | None, arguments: list[str], parts: list[str]
) -> None:
    (folder / "out").mkdir()
    if source is not None:
        (folder / "mine.py").write_text(source)
    before = files(folder)
    text = refused(run("generate", *arguments, "--out=out"))
    for part in parts:
        assert part in text
    assert files(folder) == before
    assert sorted(os.listdir(folder)) == ["mine.py", "out"]


def test_a_foreign_folder_is_not_written_to(run: Run, folder: Path) -> None:
    assert "did not write" in refused(run("generate", "--module=mine", "--out=."))
    assert os.listdir(folder) == ["mine.py"]


def test_docstrings_are_only_text(run: Run, folder: Path) -> None:
    doc = r"""Quotes \"\"\", interpolation #{System.halt(1)}, a \\backslash, <%= 1 %>, \ud800."""
    (folder / "mine.py").write_text(f'def f(x: int) -> int:\n    """{doc}"""\n')
    done(run("generate", "--module", "mine", "--out", "out"))
    contract = from_json((folder / "out" / "contract.json").read_bytes())
    assert contract.service.methods[0].doc.summary == (
        'Quotes """, interpolation #{System.halt(1)}, a \\backslash, <%= 1 %>, \\ud800.'
    )


def test_models_may_be_called_like_core_modules(run: Run, folder: Path) -> None:
    (folder / "mine.py").write_text(
        textwrap.dedent("""
            from pydantic import BaseModel
            class String(BaseModel):
                x: int
            class Kernel(BaseModel):
                string: String
            def f(x: Kernel) -> String: ...
        """)
    )
    done(run("generate", "--module", "mine", "--out", "out"))
    assert "out/elixir/lib/mine/string.ex" in files(folder)


# serve


@pytest.mark.parametrize("what", ["live", "folder", "file", "module"])
def test_serve_answers(run: Run, folder: Path, what: str) -> None:
    arguments = {
        "live": ["--module", "mine"],
        "folder": ["--generated", "out"],
        "file": ["--generated", "out/python/mine_server.py"],
        "module": ["--generated", "mine_server"],
    }[what]
    extra = {}
    if what != "live":
        done(run("generate", "--module", "mine", "--out", "out"))
    if what == "module":
        extra = {"PYTHONPATH": f"{SOURCE}{os.pathsep}{folder / 'out' / 'python'}"}
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "synapse_bridge", "serve", *arguments, "--port", "0"],
        cwd=folder,
        env=environment() | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "the server did not start"
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:")
        with grpc.insecure_channel(line.split()[-1]) as channel:
            call = channel.unary_unary("/mine.v1.MineService/Double", None, None)
            # pair { left: 4 } and the default of `right`; [8, 2] packed.
            assert call(b"\x0a\x02\x08\x04", timeout=20) == b"\x0a\x02\x08\x02"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--module", "mime"], ["did you mean `mine`?"]),
        (["--generated", "nothing.py"], ["nothing.py is not there"]),
        (["--generated", "."], ["should hold one generated server, and holds none"]),
        (["--generated", ".", "--module", "mine"], ["either `--generated` or"]),
        (["--module", "mine", "--prot", "0"], ["--prot"]),
        ([], ["--module MODULE"]),
    ],
)
def test_what_cannot_be_served_is_told(run: Run, arguments: list[str], parts: list[str]) -> None:
    text = refused(run("serve", *arguments))
    for part in parts:
        assert part in text


def test_version_and_help(run: Run) -> None:
    assert done(run("--version")) == f"{__version__}\n"
    for name in ("generate", "inspect", "serve"):
        assert name in done(run("--help"))
        assert "--module" in done(run(name, "--help"))
    assert "--port-file" in done(run("serve", "--help"))
