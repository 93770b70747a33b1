"""How generated code reaches what a module defines: by name, from the outermost package inwards."""

from __future__ import annotations

import sys

from synapse_bridge.introspect.refusal import Unsupported


def qualified(cls: type) -> str:
    """``shop.models.Order``: the name of a class in the contract."""
    return f"{cls.__module__}.{cls.__qualname__}"


def reached(module: str, local: str = "") -> object:
    """What ``module.local`` is once ``module`` is imported; ``None`` where it is nothing.

    A package can have something else under the name of a module in it, which then hides that
    module: ``from .models import models``.
    """
    top, *rest = f"{module}.{local}".rstrip(".").split(".")
    found: object = sys.modules.get(top)
    for part in rest:
        found = getattr(found, part, None)
    return found


def check_reachable(cls: type) -> None:
    """Refuse a class that generated code cannot reach by its name."""
    if reached(cls.__module__, cls.__qualname__) is cls:
        return
    reason = f"its class cannot be reached as `{qualified(cls)}`"
    if reached(cls.__module__) is not sys.modules.get(cls.__module__):
        raise Unsupported(
            f"{reason}: something else has the name of that module in its package",
            "give the other thing, or the module, a name of its own",
        )
    raise Unsupported(reason, "define the class at the top of its module, under its own name")
