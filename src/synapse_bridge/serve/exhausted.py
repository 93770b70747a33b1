"""A server that has no room for another call."""

from __future__ import annotations


class Exhausted(Exception):
    """A limit is reached. The text says which, for the client; the code is RESOURCE_EXHAUSTED."""
