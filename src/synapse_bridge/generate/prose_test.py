"""Documentation is data: whatever users wrote becomes lines that are safe in every language."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_bridge.contract import Constraints, ListOf, MapOf, Nullable, Scalar, Type
from synapse_bridge.generate import prose


@given(st.text())
def test_lines_hold_only_visible_characters(text: str) -> None:
    for line in prose.lines(text):
        assert line == line.rstrip()
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]


def test_every_way_to_end_a_line_ends_it() -> None:
    assert prose.lines("a\nb\rc\r\nd\x0be\x0cf\x85g\u2028h\u2029i") == list("abcdefghi")


def test_surrogates_and_control_characters_show_as_replaced() -> None:
    assert prose.lines("a\ud800b\x00c") == ["a\ufffdb\ufffdc"]


def test_blank_ends_and_trailing_spaces_go() -> None:
    assert prose.lines("\n  \n  a  \n\n b\n \n") == ["  a", "", " b"]


@pytest.mark.parametrize(
    ("type_", "phrase"),
    [
        (Scalar("int64"), ""),
        (Scalar("int64", Constraints(ge=0, lt=10, multiple_of=2)), "≥ 0, < 10, a multiple of 2"),
        (Scalar("string", Constraints(min_length=1)), "at least 1 character"),
        (Scalar("bytes", Constraints(max_length=2)), "at most 2 bytes"),
        (Scalar("string", Constraints(pattern="^`$")), "matching `` ^`$ ``"),
        (
            ListOf(Nullable(Scalar("double", Constraints(gt=0.5))), Constraints(min_length=2)),
            "at least 2 items, each item > 0.5",
        ),
        (
            MapOf(Scalar("string"), Scalar("int64", Constraints(le=1)), Constraints(max_length=1)),
            "at most 1 entry, each value ≤ 1",
        ),
    ],
)
def test_constraints_read_as_a_phrase(type_: Type, phrase: str) -> None:
    assert prose.requirements(type_) == phrase
