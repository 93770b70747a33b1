"""A server that has no room for another call."""

from __future__ import annotations


class Exhausted(Exception):
    """A limit is reached. The text says which, for the client; the code is RESOURCE_EXHAUSTED."""


def late(seconds: float) -> str:
    """What a client is told whose request was not there in time."""
    return f"The request has not arrived within {seconds:g} seconds (max_arrival)"
