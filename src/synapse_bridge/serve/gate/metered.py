"""Counting the bytes of messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from synapse_bridge.serve.call import Call
from synapse_bridge.serve.gate.kinds import EOF


def size(message: Any) -> int:
    """The bytes of a message; 0 for what is none."""
    if isinstance(message, bytes):
        return len(message)
    count = getattr(message, "ByteSize", None)
    return count() if count else 0


class Metered:
    """gRPC's context of a call, which counts what goes through it."""

    def __init__(self, call: Call, context: Any) -> None:
        self._call = call
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def read(self) -> Any:
        """The next request."""
        request = await self._context.read()
        self._call.received += size(request)
        return request

    async def write(self, message: Any) -> None:
        """Send a response."""
        self._call.sent += size(message)
        await self._context.write(message)


def metered(call: Call, request: Any, context: Any) -> tuple[Any, Any]:
    """A request, or an iterator of them, and a context that count bytes for a call."""
    if not hasattr(request, "__aiter__"):
        call.received += size(request)
        return request, Metered(call, context)
    return _requests(call, request), Metered(call, context)


async def _requests(call: Call, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        if request is not EOF:
            call.received += size(request)
        yield request
