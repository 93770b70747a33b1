"""Whatever bytes come, in whatever pieces: a connection answers or ends, and leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_bridge.serve.http2 import Limits, frames
from synapse_bridge.serve.http2.conftest import Echo, data, headers, request
from synapse_bridge.serve.http2.connection import Connection
from synapse_bridge.serve.http2.dispatch import Dispatch
from synapse_bridge.serve.http2.load import Load

USUAL = [
    *(headers(stream, request(name)) for stream in (1, 3, 5) for name in ("Unary", "Mirror")),
    *(data(stream, b"hello", end=end) for stream in (1, 3) for end in (True, False)),
    frames.rst_stream(1, frames.ErrorCode.CANCEL),
    frames.window_update(0, 1000),
    frames.window_update(3, 1000),
    frames.settings({frames.INITIAL_WINDOW_SIZE: 0}),
    frames.settings({frames.INITIAL_WINDOW_SIZE: 100_000}),
    frames.ping(b"12345678", ack=False),
    frames.goaway(0, frames.ErrorCode.NO_ERROR),
]
ANY = st.builds(
    frames.frame,
    st.integers(0, 12),
    st.integers(0, 255),
    st.integers(0, 8),
    st.binary(max_size=40),
)
CONVERSATION = st.lists(st.sampled_from(USUAL) | ANY | st.binary(max_size=20), max_size=12)


class Transport(asyncio.Transport):
    """Takes everything and sends it nowhere."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.closed = False

    def write(self, data: Any) -> None:
        assert data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


@given(CONVERSATION, st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_a_connection_survives_any_bytes(conversation: list[bytes], piece: int) -> None:
    async def main() -> None:
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        load = Load(Limits())
        dispatch = Dispatch()
        dispatch.handlers.append(Echo().handlers())
        connection, transport = Connection(dispatch, Limits(), load), Transport()
        connection.connection_made(transport)
        sent = frames.PREFACE + b"".join(conversation)
        for start in range(0, len(sent), piece):
            connection.data_received(sent[start : start + piece])
            await asyncio.sleep(0)
        connection.connection_lost(None)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not connection.streams
        assert not load.connections
        assert (load.streams, load.pending) == (0, 0)
        assert not dispatch.tasks
        assert not complaints

    asyncio.run(main())
