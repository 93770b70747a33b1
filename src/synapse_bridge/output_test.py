"""A folder is replaced as a whole or not at all, and what is not ours stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from synapse_bridge import output
from synapse_bridge.output import OutputError, write_file, write_folder


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != output.LIST
    }


def test_files_are_written_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "some" / "where"
    write_folder(out, {"a.txt": "ä", "b/c.bin": b"c", "old/gone.txt": "x"})
    assert tree(out) == {"a.txt": "ä", "b/c.bin": "c", "old/gone.txt": "x"}
    write_folder(out, {"a.txt": "2", "b/d.txt": "d"})
    assert tree(out) == {"a.txt": "2", "b/d.txt": "d"}
    assert not (out / "old").exists()
    assert os.listdir(out.parent) == ["where"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": "1"})
    assert tree(tmp_path) == {"a": "1"}


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, {"elixir/mix.exs": "1", "elixir/lib/a.ex": "a"})
    built = out / "elixir" / "_build" / "dev" / "a.beam"
    built.parent.mkdir(parents=True)
    built.write_text("beam")
    built.with_name("link").symlink_to("a.beam")
    (out / "notes.txt").write_text("mine")
    write_folder(out, {"elixir/mix.exs": "2"})
    assert tree(out) == {
        "elixir/mix.exs": "2",
        "elixir/_build/dev/a.beam": "beam",
        "elixir/_build/dev/link": "beam",
        "notes.txt": "mine",
    }
    assert built.with_name("link").is_symlink()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(OutputError, match=r"did not write, such as thesis\.txt"):
        write_folder(tmp_path, {"a": "1"})
    assert tree(tmp_path) == {"thesis.txt": "years"}


@pytest.mark.parametrize("theirs", ["a/b.txt", "a", "a/b.txt/c"])
def test_a_file_of_somebody_else_in_the_way_is_refused(tmp_path: Path, theirs: str) -> None:
    out = tmp_path / "out"
    write_folder(out, {"x": "1"})
    (out / theirs).parent.mkdir(parents=True, exist_ok=True)
    (out / theirs).write_text("mine")
    with pytest.raises(OutputError, match="in its way"):
        write_folder(out, {"a/b.txt": "2"})
    assert tree(out) == {"x": "1", theirs: "mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        write_folder(tmp_path / "out", {"a": "1"})


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    write_folder(tmp_path / "out", {"a": "1"})
    assert (tmp_path / "out").is_symlink()
    assert tree(tmp_path / "real") == {"a": "1"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(tmp_path / "file" / "out", {"a": "1"})
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path / "file" / "out.json", "x")


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, {"a": "1"})
    with pytest.raises(OutputError):
        write_folder(out, {"a": "2", "x" * 300: "name too long"})
    assert tree(tmp_path) == {"out/a": "1"}
    assert os.listdir(tmp_path) == ["out"]


def test_a_failing_rename_brings_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_folder(out, {"a": "1"})
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="cross-device"):
        write_folder(out, {"a": "2"})
    assert tree(tmp_path) == {"out/a": "1"}
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_old_folder_and_nothing_else(tmp_path: Path, number: int) -> None:
    out = tmp_path / "out"
    write_folder(out, {"a": "1"})
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from synapse_bridge.output import write_folder

        write = Path.write_bytes
        def slow(self, data):
            write(self, data)
            print("writing", flush=True)
            time.sleep(60)
        Path.write_bytes = slow
        write_folder(Path(sys.argv[1]), {"a": "2", "b": "3"})
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(output.__file__).parents[1])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert tree(tmp_path) == {"out/a": "1"}
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_file(path, "1")
    write_file(path, "2")
    assert path.read_text() == "2"
    assert os.listdir(tmp_path) == ["c.json"]
