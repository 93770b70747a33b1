"""Maps from the wire whose keys are of any type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Entries(Mapping[Any, Any]):
    """A mapping whose keys are not validated yet, and so need not be hashable.

    Validators only ask for its ``items``.
    """

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self.pairs = pairs

    def items(self) -> Any:
        """The keys and values, in the order they were sent."""
        return self.pairs

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, key: Any) -> Any:
        for known, value in self.pairs:
            if known == key:
                return value
        raise KeyError(key)
