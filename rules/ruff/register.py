"""The Ruff backend, for releases newer than the one that Pants 2.17 drives."""

from __future__ import annotations

from typing import Any

from ruff import rules as ruff_rules


def rules() -> list[Any]:
    return ruff_rules.rules()
