"""Aliases that are made at run time."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypeAliasType


def alias(module: str, name: str, annotation: Any) -> Any:
    """The alias ``name`` of a module."""
    # It takes its module from where it is called, and lets nobody change it.
    scope = {"__name__": module, "make": TypeAliasType, "called": name, "meant": annotation}
    return eval("make(called, meant)", scope)
