"""Markdown in an attribute stays text: it cannot end it, and nothing in it is run."""

from __future__ import annotations

from synapse_bridge.generate.elixir_docs import attribute


def test_plain_text_stands_in_a_plain_heredoc() -> None:
    assert attribute("doc", "Prices.\n\nAn order.") == [
        '  @doc """',
        "  Prices.",
        "",
        "  An order.",
        '  """',
    ]


def test_backslashes_and_interpolation_stand_in_a_raw_heredoc() -> None:
    assert attribute("doc", "a\\b #{c}") == ['  @doc ~S"""', "  a\\b #{c}", '  """']


def test_quotes_that_would_end_the_heredoc_are_escaped() -> None:
    assert attribute("doc", '"""\n#{a}\\') == [
        '  @doc """',
        '  \\"\\"\\"',
        "  \\#{a}\\\\",
        '  """',
    ]


def test_text_that_reads_in_another_order_is_escaped() -> None:
    assert attribute("doc", "a\u202eb\\")[1] == "  a\\u202Eb\\\\"


def test_what_has_no_documentation_says_so() -> None:
    assert attribute("moduledoc", None) == ["  @moduledoc false"]
