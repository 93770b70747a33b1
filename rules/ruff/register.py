"""The Ruff backend, for releases newer than the one that Pants 2.17 drives."""

from __future__ import annotations

from ruff import rules as ruff_rules


def rules():
    return ruff_rules.rules()
