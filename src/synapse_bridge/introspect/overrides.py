"""Annotations that the configuration puts in the place of those in the code."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import annotated_types
import pydantic

from synapse_bridge.introspect.loading import suggestion
from synapse_bridge.introspect.refusal import IntrospectionError, Place, Unsupported

_NAMES = {
    **{
        name: getattr(typing, name) for name in ("Annotated", "Any", "Literal", "Optional", "Union")
    },
    **{
        name: getattr(annotated_types, name)
        for name in ("Ge", "Gt", "Le", "Lt", "MinLen", "MaxLen")
    },
    "Field": pydantic.Field,
}
"""What an annotation may name besides what its module has."""


@dataclass(frozen=True, slots=True)
class Override:
    """An annotation as Python source, and the place in the configuration where it stands."""

    annotation: str
    file: str = ""
    line: int = 0

    def evaluate(self, name: str, namespace: Mapping[str, Any]) -> Any:
        """The annotation; :class:`Unsupported` where it is none."""
        try:
            # The configuration is the user's own code, as the module is.
            return eval(self.annotation, {**_NAMES, **namespace})
        except Exception as error:
            raise Unsupported(
                f"the configuration ({self.place(name)}) says `{self.annotation}`: {error}",
                "write an annotation with names that the module has",
            ) from None

    def place(self, name: str) -> Place:
        """Where the override of ``name`` stands."""
        return Place(self.file or "configuration", self.line, f"`{name}`", self.annotation)


def check_overrides(overrides: Mapping[str, Override], seen: Set[str], module: str) -> None:
    """Refuse an override of something that is not there.

    One file may configure several modules, so only names are looked at that begin as something
    does that was seen.
    """
    owners = {name.rpartition(".")[0] for name in seen} - {module}
    for name, override in overrides.items():
        owner = name.rpartition(".")[0]
        if name not in seen and (owner in owners or owner.startswith(f"{module}.")):
            raise IntrospectionError(
                f"{override.place(name)}: `types` has `{name}`, which does not exist"
                + suggestion(name, seen)
            )
