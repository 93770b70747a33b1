"""Header blocks, each in one frame or in several that nothing may interrupt (RFC 9113, 4.3)."""

from __future__ import annotations

from typing import TypeAlias

from synapse_bridge.serve.http2 import frames
from synapse_bridge.serve.http2.fields import BEYOND
from synapse_bridge.serve.http2.frames import ConnectionFault, ErrorCode

Block: TypeAlias = tuple[int, int, bytes]
"""A complete header block: the flags of its first frame, its stream, and its fields."""


class Blocks:
    """The header blocks of one connection; all methods raise :class:`ConnectionFault`.

    ``begun``: there is one whose end has not come, so that nothing but CONTINUATION may.
    """

    def __init__(self, max_header_list: int) -> None:
        self._limit = BEYOND * max_header_list
        self._part: tuple[int, int, bytearray] | None = None
        self.begun = False

    @property
    def size(self) -> int:
        """The bytes of a block whose end has not come."""
        return len(self._part[2]) if self._part else 0

    def begin(self, flags: int, id_: int, payload: bytes) -> Block | None:
        """A HEADERS frame; returns its block if that is complete."""
        if flags & frames.PADDED:
            payload = frames.unpadded(flags, payload)
        if flags & frames.PRIORITIZED:
            if len(payload) < 5:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "HEADERS too short")
            payload = payload[5:]
        if id_ % 2 == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"HEADERS of the stream {id_}")
        if flags & frames.END_HEADERS:
            return flags, id_, payload
        self._part = (flags, id_, bytearray(payload))
        self.begun = True
        return None

    def go_on(self, flags: int, id_: int, payload: bytes) -> Block | None:
        """A CONTINUATION frame; returns the block if this was its end."""
        if self._part is None or self._part[1] != id_:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "an unexpected CONTINUATION")
        first, _, block = self._part
        block += payload
        if len(block) > self._limit:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a header block without an end")
        if not flags & frames.END_HEADERS:
            return None
        self._part = None
        self.begun = False
        return first, id_, bytes(block)
