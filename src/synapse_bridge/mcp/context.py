"""A tool call as a handler sees it: grpcio's servicer context, in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status

Metadata = tuple[tuple[str, str], ...]

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class CallDetails(grpc.HandlerCallDetails):
    """What a generic handler chooses by; grpcio's ``HandlerCallDetails``."""

    method: str
    invocation_metadata: Metadata


class Context(grpc.aio.ServicerContext[Any, Any]):
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
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._trailing: Any = ()

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
        """There is no place for it."""

    # Status

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> NoReturn:
        self._code, self._details, self._trailing = code, details, trailing_metadata
        raise grpc.aio.AbortError

    async def abort_with_status(self, status: Any) -> NoReturn:
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """What a function tells beside its result, for which MCP has no place."""

    def trailing_metadata(self) -> Any:
        return self._trailing

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code if self._code is not None else grpc.StatusCode.OK

    def set_details(self, details: str) -> None:
        self._details = details

    def details(self) -> str:
        return self._details

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

    def set_compression(self, compression: grpc.Compression) -> None:
        pass

    def disable_next_message_compression(self) -> None:
        pass


def peer(client: tuple[str, int] | None) -> str:
    """The client's end as gRPC names it, ``ipv4:192.0.2.1:50412``; a socket file has no name."""
    if client is None:
        return "unix:"
    host, port = client
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"
