"""Where an annotation stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from synapse_bridge.contract.types import Type
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.overrides import Overridden
from synapse_bridge.introspect.refusal import Place
from synapse_bridge.signs import may_be_anothers


@dataclass(frozen=True, slots=True)
class Context:
    """Where an annotation stands.

    ``module`` and ``path`` (``Order.status``) are its qualified name, after which an unnamed
    ``Literal`` or union is called; ``namespace`` is the globals of that module, where one may have
    got a name; ``config`` the pydantic configuration of its model; ``checked`` is false where a
    validator sees the value before its type does; ``within`` are the classes whose overrides led
    here. ``ordered`` is false where the order of a union's alternatives is not to be relied on.
    """

    catalogue: Catalogue
    place: Place
    module: str
    path: str
    namespace: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    checked: bool = True
    within: frozenset[type] = frozenset()
    ordered: bool = True

    def override(self) -> Overridden | None:
        """What the configuration puts in the place of this annotation, or ``None``."""
        return self.catalogue.override(f"{self.module}.{self.path}", self.namespace)

    def inside(self, part: str) -> Context:
        """The context of a part that has no name of its own."""
        return replace(self, path=f"{self.path}.{part}")

    def under(self, annotation: Any) -> Context:
        """The context of what ``annotation`` holds."""
        return replace(self, ordered=False) if may_be_anothers(annotation) else self

    def free_name(self) -> str:
        """A name in the module that nothing has yet: the path, with a number if need be."""
        name, count = self.path, 1
        while not self.catalogue.is_free(f"{self.module}.{name}"):
            count += 1
            name = f"{self.path}{count}"
        return name


Read: TypeAlias = "Callable[[Any, Context], Type]"
"""Reads the type of an annotation."""
