"""What of an agent cannot cross."""

from __future__ import annotations


class Unfit(Exception):
    """An agent that cannot be served as it is; ``reason`` and ``instead`` are for its author."""

    def __init__(self, reason: str, instead: str) -> None:
        super().__init__(f"{reason}\n  → {instead}")
        self.reason = reason
        self.instead = instead
