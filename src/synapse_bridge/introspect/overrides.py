"""Annotations that the configuration puts in the place of those in the code."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from synapse_bridge.annotation_source import evaluate
from synapse_bridge.introspect.loading import suggestion
from synapse_bridge.introspect.refusal import IntrospectionError, Place, Unsupported


@dataclass(frozen=True, slots=True)
class Override:
    """An annotation as Python source, and the place in the configuration where it stands."""

    annotation: str
    file: str = ""
    line: int = 0
    to_wire: str = ""
    from_wire: str = ""
    """The functions, as ``package.module:function``, that convert to and from ``annotation``."""
    elixir: str = ""
    """The Elixir module that converts there."""

    @property
    def converts(self) -> bool:
        """Whether either side has another value than the wire."""
        return bool(self.to_wire or self.elixir)

    def evaluate(self, name: str, namespace: Mapping[str, Any]) -> Any:
        """The annotation; :class:`Unsupported` where it is none."""
        try:
            return evaluate(self.annotation, namespace)
        except Exception as error:
            raise Unsupported(
                f"the configuration ({self.place(name)}) says `{self.annotation}`: {error}",
                "write an annotation with names that the module has",
            ) from None

    def check_converters(self, name: str) -> None:
        """Raise :class:`Unsupported` where a function of the long form is not there."""
        for path in filter(None, (self.to_wire, self.from_wire)):
            module, _, function = path.partition(":")
            try:
                found: Any = importlib.import_module(module)
                for part in function.split("."):
                    found = getattr(found, part)
            except Exception as error:
                raise Unsupported(
                    f"the configuration ({self.place(name)}) says `{path}`: {error}",
                    "write `package.module:function`",
                ) from None
            if not callable(found):
                raise Unsupported(
                    f"the configuration ({self.place(name)}) says `{path}`, which is no function",
                    "name one that takes and gives one value",
                )

    def place(self, name: str) -> Place:
        """Where the override of ``name`` stands."""
        return Place(self.file or "configuration", self.line, f"`{name}`", self.annotation)


@dataclass(frozen=True, slots=True)
class Overridden:
    """What the configuration says of a class or place, with its annotation evaluated.

    ``module`` is the one whose names the annotation uses.
    """

    name: str
    override: Override
    annotation: Any
    module: str


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
