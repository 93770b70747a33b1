"""A call as its handler sees it: grpcio's servicer context on a stream of this transport."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import grpc
import grpc.aio

from synapse_bridge.serve.http2 import peer
from synapse_bridge.serve.http2.fields import Metadata, Metadatum
from synapse_bridge.serve.http2.stream import Stream

LOG = logging.getLogger("synapse_bridge.serve")


class Context(grpc.aio.ServicerContext[Any, Any]):
    """The servicer context of one call.

    Compression of responses is not offered, so asking for it changes nothing.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._code: Any = None
        self._details = ""
        self._trailing: Metadata = ()
        self._callbacks: list[Callable[[Any], None]] = []
        self._ended = False
        self.serialize: Callable[[Any], bytes] | None = None
        self.deserialize: Callable[[bytes], Any] | None = None

    # Messages

    tells_the_end = True
    """``read`` raises for a request that breaks off, and says EOF for one that is complete."""

    async def read(self) -> Any:
        message = await self._stream.read()
        if message is None:
            return grpc.aio.EOF  # type: ignore[attr-defined] # the stubs lack it
        return self.deserialize(message) if self.deserialize else message

    async def write(self, message: Any) -> None:
        await self._stream.send(self.serialize(message) if self.serialize else message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        if self._stream.head_sent:
            raise RuntimeError("the initial metadata has been sent already")
        self._stream.send_head(_metadata(initial_metadata))

    # Status

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> NoReturn:
        if code is grpc.StatusCode.OK:
            raise ValueError("a call is not aborted with OK")
        self._code, self._details = code, details
        if trailing_metadata:
            self._trailing = _metadata(trailing_metadata)
        raise grpc.aio.AbortError

    async def abort_with_status(self, status: Any) -> NoReturn:
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing = _metadata(trailing_metadata)

    def trailing_metadata(self) -> Metadata:  # type: ignore[override] # a tuple, as in grpcio
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
        return self._stream.request.metadata

    def time_remaining(self) -> float | None:  # type: ignore[override] # None as in grpcio
        deadline = self._stream.deadline
        if deadline is None:
            return None
        return max(0.0, deadline - self._stream.connection.loop.time())

    def cancelled(self) -> bool:
        """Whether the peer has ended the call before its answer."""
        return self._stream.closed and not self._ended

    def done(self) -> bool:
        return self._stream.closed

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    def finished(self) -> None:
        """The handler is through: call those who wanted to know."""
        self._ended = True
        for callback in self._callbacks:
            try:
                callback(self)
            except Exception:
                LOG.exception("%s: a callback of the call raised", self._stream.request.path)

    # The peer

    @property
    def peer_max_header_list(self) -> int | None:
        """The largest header list that the client takes, if it has said so."""
        return self._stream.connection.peer_max_header_list

    def peer(self) -> str:
        return self._stream.connection.peer()

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        return peer.auth_context(self._stream.connection.transport)

    def peer_identity_key(self) -> str | None:
        names = self.auth_context()
        keys = ("x509_subject_alternative_name", "x509_common_name")
        return next((key for key in keys if key in names), None)

    def peer_identities(self) -> Iterable[bytes] | None:
        key = self.peer_identity_key()
        return None if key is None else self.auth_context()[key]

    def set_compression(self, compression: grpc.Compression) -> None:
        pass

    def disable_next_message_compression(self) -> None:
        pass


def _metadata(given: Any) -> Metadata:
    return tuple(Metadatum(key, value) for key, value in given or ())
