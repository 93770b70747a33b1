"""Literals are data, in the form in which ``mix format`` leaves them."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from synapse_bridge.contract.elixir_terms import atom, integer, number, string

_TEXTS = (
    "eur", "a?", "a!", "a?b", "Bad", "_", "and", "do", "in stock", "", "1a", "a@b", "@", "@a", "+",
    "<=", "::", "=>", "//", "..//", "...", "{}", "%{}", "[]", "<<>>", "\\\\", "|", "^^^", "#",
    "#{}", '"', "'", "\\", "\n", "\x00", "\u202e", "\u2028", "é", "É", "ünïcode", "日本", "🙂",
    "e\u0301", "Elixir.System", "A.B", "ÿ?", "$", "`", "👨‍👩‍👧", "\ufeff", "\u0e33", "\u1100\u1161",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("eur", ":eur"),
        ("in stock", ':"in stock"'),
        ("<=", ":<="),
        ("#{x}", ':"\\#{x}"'),
        ("日本", ':"\\u{65E5}\\u{672C}"'),
    ],
)
def test_atoms(text: str, source: str) -> None:
    assert atom(text) == source


@pytest.mark.parametrize("text", ["nil", "true", "false"])
def test_an_atom_is_never_a_value_of_its_own(text: str) -> None:
    assert atom(text) == f":{text}_"


def test_a_string_cannot_end_or_interpolate() -> None:
    assert string('"#{halt()}\\') == '"\\"\\#{halt()}\\\\"'


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (0, "0"),
        (99999, "99999"),
        (-100000, "-100_000"),
        (2**64 - 1, "18_446_744_073_709_551_615"),
        (0.5, "0.5"),
        (-0.0, "-0.0"),
        (1e16, "1.0e16"),
        (1.5e-07, "1.5e-7"),
        (1234567.25, "1_234_567.25"),
        (math.inf, ":infinity"),
        (-math.inf, ":negative_infinity"),
        (math.nan, ":nan"),
    ],
)
def test_numbers(value: float, source: str) -> None:
    assert number(value) == source


def test_integers_have_their_digits_in_threes() -> None:
    assert integer(-(2**63)) == "-9_223_372_036_854_775_808"


@pytest.mark.skipif(shutil.which("elixir") is None, reason="needs Elixir")
def test_elixir_reads_what_was_meant_and_would_write_it_alike(tmp_path: Path) -> None:
    (tmp_path / "atoms.exs").write_text(_list(map(atom, _TEXTS)))
    (tmp_path / "strings.exs").write_text(_list(map(string, _TEXTS)))
    (tmp_path / "bytes.exs").write_text(_list(map(_bytes, _TEXTS)))
    (tmp_path / "check.exs").write_text("""
        [atoms, strings, bytes] =
          for name <- ["atoms", "strings", "bytes"], do: elem(Code.eval_file(name <> ".exs"), 0)

        ^bytes = strings
        ^bytes = Enum.map(atoms, &Atom.to_string/1)

        for name <- ["atoms", "strings"] do
          source = File.read!(name <> ".exs")
          ^source = IO.iodata_to_binary([Code.format_string!(source), "\\n"])
        end
    """)
    command = ("elixir", "check.exs")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _list(sources: Iterable[str]) -> str:
    return "[\n" + ",\n".join(f"  {source}" for source in sources) + "\n]\n"


def _bytes(text: str) -> str:
    return f"<<{', '.join(map(str, text.encode()))}>>"
