"""Docstrings in every style are taken apart without losing text, and no text breaks anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synapse_bridge.contract.model import Docstring
from synapse_bridge.introspect.docstrings import read_docstring

GOOGLE = """Prices an order.

Long text
in two lines.

Args:
    order (Order): What to price.
        In two lines.
    rate: A rate: the "rate".

Returns:
    The total.

Raises:
    ValueError: If it is empty.

Example:
    >>> price(order)
    3
"""
NUMPY = """Prices an order.

Long text
in two lines.

Parameters
----------
order : Order
    What to price.
    In two lines.
rate : float
    A rate: the "rate".

Returns
-------
int
    The total.

Raises
------
ValueError
    If it is empty.

Examples
--------
>>> price(order)
3
"""
REST = """Prices an order.

Long text
in two lines.

:param order: What to price.
    In two lines.
:param float rate: A rate: the "rate".
:returns: The total.
:raises ValueError: If it is empty.
"""


@pytest.mark.parametrize(
    ("text", "examples"),
    [(GOOGLE, (">>> price(order)\n3",)), (NUMPY, (">>> price(order)\n3",)), (REST, ())],
    ids=["google", "numpy", "rest"],
)
def test_the_three_styles_say_the_same(text: str, examples: tuple[str, ...]) -> None:
    assert read_docstring(text) == Docstring(
        summary="Prices an order.",
        description="Long text\nin two lines.",
        params=(("order", "What to price.\nIn two lines."), ("rate", 'A rate: the "rate".')),
        returns="The total.",
        raises=(("ValueError", "If it is empty."),),
        examples=examples,
    )


def test_no_docstring() -> None:
    assert read_docstring("") == Docstring()


@pytest.mark.parametrize(
    ("text", "summary", "description"),
    [
        ("One line.", "One line.", ""),
        ("A sentence\nthat wraps.\n\nRest.", "A sentence that wraps.", "Rest."),
        ("A list:\n* a\n* b\n\nRest.", "A list:", "* a\n* b\n\nRest."),
        ("Code::\n\n    a\n      b", "Code::", "    a\n      b"),
        ("Title\n=====\n\nText", "Title", "=====\n\nText"),
        ("Note: a colon.\n\nReturns: nothing", "Note: a colon.", "Returns: nothing"),
        ('"""#{1}\\ <%= %>', '"""#{1}\\ <%= %>', ""),
    ],
)
def test_plain_text_is_a_summary_and_the_rest(text: str, summary: str, description: str) -> None:
    assert read_docstring(text) == Docstring(summary, description)


def test_an_odd_section_does_not_spoil_the_others() -> None:
    doc = read_docstring("Does it.\n\nArgs:\n    a: An a.\n\nRaises:\n    KeyError\n")
    assert doc.params == (("a", "An a."),)
    assert doc.description == "Raises:\n    KeyError"


def test_text_between_sections_stays() -> None:
    doc = read_docstring(
        "Does it.\n\nArgs:\n    a: An a.\nAfter.\n\nNote:\n    Careful.\n\nExample:\n    one\n\n"
        "Example:\n    two\n"
    )
    assert doc.description == "After.\n\nNote:\n    Careful."
    assert doc.examples == ("one", "two")


def test_parameters_that_share_a_line() -> None:
    doc = read_docstring("Does.\n\nParameters\n----------\na, b : int\n    Both.\n")
    assert doc.params == (("a", "Both."), ("b", "Both."))


MARKUP = re.findall(
    r"\S+",
    """
    Args: Returns: Raises: Note: Example: Yields: :param :returns: :raises Parameters ----------
    Returns ------- @param @return .. deprecated:: * - >>> ``` | # \\ " #{ :
    """,
)
WORDS = st.text(alphabet="abc", min_size=1, max_size=4)
LINES = st.one_of(
    st.text(max_size=20),
    WORDS,
    st.sampled_from(MARKUP),
    st.builds("    {}: {}".format, WORDS, WORDS),
    st.builds(":param {}: {}".format, WORDS, WORDS),
    st.builds("{} : {}\n    {}".format, WORDS, WORDS, WORDS),
)


@example("\r:")
@settings(deadline=None)
@given(st.lists(LINES, max_size=12).map("\n".join))
def test_any_text_is_a_docstring(text: str) -> None:
    doc = read_docstring(text)
    assert "\n" not in doc.summary
    assert doc.summary or not doc.description


BLOCK = st.one_of(
    st.lists(WORDS, min_size=1, max_size=3).map("\n".join),
    st.builds("Args:\n    {}: {}".format, WORDS, WORDS),
    st.builds("Raises:\n    {}".format, WORDS),
    st.builds("Returns:\n    {}".format, WORDS),
    st.builds("Example:\n    {}".format, WORDS),
    st.builds("Note:\n    {}".format, WORDS),
)


@settings(deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=5).map("\n\n".join))
def test_no_word_of_a_google_docstring_is_lost(text: str) -> None:
    doc = read_docstring(text)
    parts = [doc.summary, doc.description, doc.returns, *doc.examples]
    parts += [word for pair in (*doc.params, *doc.raises) for word in pair]
    headings = {"Args", "Raises", "Returns", "Example", "Note"}
    kept = sorted(re.findall(r"\w+", " ".join(parts)))
    assert [w for w in kept if w not in headings] == sorted(
        w for w in re.findall(r"\w+", text) if w not in headings
    )
