"""Docstrings in reStructuredText read as Markdown; Markdown and code stay as they are."""

from __future__ import annotations

import pytest

from synapse_bridge.generate.markdown import inline, markdown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("call ``f(x)`` twice", "call `f(x)` twice"),
        ("see :class:`Order` and :py:meth:`~shop.Order.total`", "see `Order` and `total`"),
        ("see :func:`the function <shop.price>`", "see `the function`"),
        ("the `docs <https://example.org/a_b>`_ say", "the [docs](https://example.org/a_b) say"),
        ("an `anonymous <https://example.org>`__ link", "an [anonymous](https://example.org) link"),
        ("a `reference`_ elsewhere", "a reference elsewhere"),
        ("Markdown's `code` and [link](https://example.org)",) * 2,
        ("``tick`s`` are Markdown's",) * 2,
        ("*emphasis*, **strong** and snake_case_names",) * 2,
    ],
)
def test_inline_markup(written: str, shown: str) -> None:
    assert inline(written) == shown


def test_a_literal_block_becomes_an_indented_one() -> None:
    assert markdown("Like this::\n\n  a = ``1``\n    b\n\nDone.") == (
        "Like this:\n\n    a = ``1``\n      b\n\nDone."
    )


def test_a_doctest_becomes_python() -> None:
    assert markdown("Adds.\n\n>>> add(1, 2)\n3\n\nThat is all.") == (
        "Adds.\n\n```python\n>>> add(1, 2)\n3\n```\n\nThat is all."
    )


def test_directives_become_quotes_and_fences() -> None:
    written = (
        ".. note:: Mind\n   the ``gap``.\n\n.. code-block:: json\n\n   {}\n\n.. deprecated:: 2"
    )
    assert markdown(written) == (
        "> **Note:**\n> Mind\n> the `gap`.\n\n```json\n{}\n```\n\n> **Deprecated in 2.**"
    )


def test_fenced_code_is_left_alone_and_closed() -> None:
    written = "```python\nx = ``1``\n.. note:: no"
    assert markdown(written) == written + "\n```"


def test_indented_code_is_left_alone() -> None:
    written = "Like this:\n\n    :class:`X`\n    ``y``"
    assert markdown(written) == written
