"""A call as its handler sees it: grpcio's servicer context on a stream of this transport."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc.aio

from synapse_bridge.serve.http2 import peer
from synapse_bridge.serve.http2.fields import Metadata, Metadatum
from synapse_bridge.serve.http2.stream import Stream
from synapse_bridge.serve.servicer import ServicerContext

LOG = logging.getLogger("synapse_bridge.serve")


class Context(ServicerContext):
    """The servicer context of one call."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
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

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        super().set_trailing_metadata(_metadata(trailing_metadata))

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


def _metadata(given: Any) -> Metadata:
    return tuple(Metadatum(key, value) for key, value in given or ())
