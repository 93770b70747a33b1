"""A tool call as a handler sees it: grpcio's servicer context, in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status

from synapse_bridge.serve.servicer import ServicerContext

Metadata = tuple[tuple[str, str], ...]

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class CallDetails(grpc.HandlerCallDetails):
    """What a generic handler chooses by; grpcio's ``HandlerCallDetails``."""

    method: str
    invocation_metadata: Metadata


class Context(ServicerContext):
    """The servicer context of one call.

    All ``requests`` are known; ``write`` takes the responses. A call ends when its client cancels
    it, and has no deadline of the client's.
    """

    tells_the_end = True
    """``read`` says EOF for a request that is complete, and there are no others."""
    peer_max_header_list = 2**31 - 1
    """No limit: the details of a failure are part of its result."""

    def __init__(
        self,
        requests: Iterable[bytes],
        write: Callable[[bytes], Awaitable[None]],
        metadata: Metadata,
        peer: str,
    ) -> None:
        self._requests = iter(requests)
        self._write = write
        self._metadata = metadata
        self._peer = peer

    def status(self) -> Status | None:
        """How the call failed, or ``None``."""
        if self._code in (None, grpc.StatusCode.OK):
            return None
        found = next((value for key, value in self._trailing if key == _DETAILS), None)
        if found is not None:
            return Status.FromString(found)
        return Status(code=self.code().value[0], message=self._details)

    # Messages

    async def read(self) -> Any:
        eof: Any = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lack it
        return next(self._requests, eof)

    async def write(self, message: Any) -> None:
        await self._write(message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """There is no place for it, nor for trailing metadata but the status of a failure."""

    # The call

    def invocation_metadata(self) -> Metadata:  # type: ignore[override] # a tuple, as in grpcio
        return self._metadata

    def time_remaining(self) -> None:  # type: ignore[override] # None as in grpcio
        return None

    def cancelled(self) -> bool:
        return False

    def done(self) -> bool:
        return False

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        raise NotImplementedError("handlers here have no use for it")

    # The peer

    def peer(self) -> str:
        return self._peer

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        return {}

    def peer_identity_key(self) -> None:
        return None

    def peer_identities(self) -> None:
        return None
