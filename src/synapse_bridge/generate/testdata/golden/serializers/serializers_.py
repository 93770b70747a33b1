"""Fields whose serializers say what leaves Python."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, PlainSerializer, field_serializer

__all__ = ["report", "reports"]

Rounded = Annotated[float, PlainSerializer(lambda value: round(value, 2))]
Stamp = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]


def shout(text: str) -> str:
    return text.upper()


class Report(BaseModel):
    ratio: Rounded
    at: Stamp
    maybe: Annotated[int | None, PlainSerializer(str, when_used="unless-none")] = None
    title: Annotated[str, PlainSerializer(shout)] = "untitled"
    json_only: Annotated[int, PlainSerializer(str, when_used="json")] = 0
    parts: list[int] = []
    owner: str = "me"

    @field_serializer("parts")
    def join(self, parts: list[int]) -> str:
        return ",".join(map(str, parts))

    @field_serializer("owner", mode="wrap")
    def mask(self, owner: str, handler) -> str:
        return handler(owner)[:1] + "***"


def report() -> Report:
    """A report."""
    return Report(ratio=1 / 3, at=datetime(2024, 5, 1), parts=[1, 2])


def reports(reports: list[Report]) -> int:
    """How many."""
    return len(reports)
