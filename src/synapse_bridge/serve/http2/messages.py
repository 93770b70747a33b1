"""gRPC's messages inside DATA: a flag, four bytes of length, and the message."""

from __future__ import annotations

import zlib
from collections import deque
from typing import Final

import grpc

PREFIX: Final = 5
"""Bytes in front of a message."""

_WINDOW_BITS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Refused(Exception):
    """The transport ends a call with a status of its own."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Messages:
    """The messages of a request, as they come in pieces of any size.

    ``held`` are the bytes of those that wait to be taken, ``size`` also those of one that is not
    complete; ``limit`` is that of one message.
    """

    __slots__ = ("_buffer", "_encoding", "_limit", "_queue", "held", "size")

    def __init__(self, limit: int, encoding: str = "identity") -> None:
        self.held = self.size = 0
        self._limit = limit
        self._encoding = encoding
        self._queue: deque[bytes] = deque()
        self._buffer = bytearray()

    @property
    def ready(self) -> bool:
        """Whether there is a message to take."""
        return bool(self._queue)

    @property
    def partial(self) -> bool:
        """Whether a message is not complete yet."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the next piece; raises :class:`Refused` for a message that may not be."""
        buffer = self._buffer
        self.size += (size := len(data))
        # Usually a piece is a message.
        if (
            not buffer
            and size >= PREFIX
            and data[0] == 0
            and int.from_bytes(data[1:PREFIX], "big") == size - PREFIX <= self._limit
        ):
            self._put(data[PREFIX:])
            return
        buffer += data
        start = 0
        while len(buffer) - start >= PREFIX:
            size = int.from_bytes(buffer[start + 1 : start + PREFIX], "big")
            if size > self._limit:
                raise too_large("The request", size, self._limit)
            end = start + PREFIX + size
            if end > len(buffer):
                break
            self._put(self._plain(buffer[start], bytes(buffer[start + PREFIX : end])))
            start = end
        del buffer[:start]
        self.size = self.held + len(buffer)

    def take(self) -> bytes:
        """The next message."""
        message = self._queue.popleft()
        self.held -= len(message) + PREFIX
        self.size -= len(message) + PREFIX
        return message

    def clear(self) -> None:
        """Forget them all."""
        self._queue.clear()
        self._buffer.clear()
        self.held = self.size = 0

    def _put(self, message: bytes) -> None:
        self._queue.append(message)
        self.held += len(message) + PREFIX

    def _plain(self, flag: int, message: bytes) -> bytes:
        if flag == 0:
            return message
        if flag != 1 or self._encoding == "identity":
            text = "a message is marked as compressed, and grpc-encoding does not say how"
            raise Refused(grpc.StatusCode.INTERNAL, text)
        inflater = zlib.decompressobj(_WINDOW_BITS[self._encoding])
        try:
            # One byte more than allowed tells a message that is too large from one that just fits.
            plain = inflater.decompress(message, self._limit + 1)
        except zlib.error as error:
            text = f"a message is not {self._encoding}"
            raise Refused(grpc.StatusCode.INTERNAL, text) from error
        if len(plain) > self._limit:
            raise too_large("The request", len(plain), self._limit)
        if not inflater.eof:
            raise Refused(grpc.StatusCode.INTERNAL, "a compressed message ends too early")
        return plain


def prefixed(message: bytes) -> bytes:
    """A message as it is sent, not compressed."""
    return b"".join((b"\0", len(message).to_bytes(4, "big"), message))


def too_large(what: str, size: int, limit: int) -> Refused:
    """The refusal of a message; what is bigger than ``limit`` after inflating may be bigger yet."""
    text = f"{what} has a message of {size} bytes or more; the limit is {limit}"
    return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
