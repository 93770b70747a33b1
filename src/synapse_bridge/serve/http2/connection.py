"""One connection of a client: its frames, its streams, and the limits on both."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from synapse_bridge.serve.http2 import frames, peer
from synapse_bridge.serve.http2.blocks import Blocks
from synapse_bridge.serve.http2.fields import Malformed, Requests
from synapse_bridge.serve.http2.floods import Floods
from synapse_bridge.serve.http2.frames import ConnectionFault, ErrorCode, StreamFault
from synapse_bridge.serve.http2.limits import Limits
from synapse_bridge.serve.http2.liveness import Liveness
from synapse_bridge.serve.http2.load import Load
from synapse_bridge.serve.http2.messages import Refused
from synapse_bridge.serve.http2.outbox import Outbox
from synapse_bridge.serve.http2.stream import Stream

if TYPE_CHECKING:
    from synapse_bridge.serve.http2.dispatch import Dispatch

LOG = logging.getLogger("synapse_bridge.serve")

MAX_FRAME: Final = 65_536
"""The largest frame that is taken."""
_WINDOW: Final = 16 * 1024 * 1024
"""Of the connection. It is opened again on receipt: what is held is bounded for each stream, so
that a stream that nobody reads stalls no other."""
_DRAIN: Final = b"draining"


class Connection(asyncio.Protocol):
    """Reads what a client sends, as RFC 9113 demands of a server.

    ``load`` is that of all connections of the server. ``peer_window`` is the initial window of its
    streams, ``peer_max_frame`` the largest frame it takes, ``peer_max_header_list`` the largest
    header list, ``blocked`` the streams that wait for room to send, the longest first.
    """

    def __init__(self, dispatch: Dispatch, limits: Limits, load: Load) -> None:
        self.limits = limits
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.streams: dict[int, Stream] = {}
        self.blocked: dict[Stream, None] = {}
        self.send_window = frames.INITIAL_WINDOW
        self.peer_window = frames.INITIAL_WINDOW
        self.peer_max_frame = frames.SMALLEST_MAX_FRAME
        self.peer_max_header_list: int | None = None
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self._outbox: Outbox
        self._liveness: Liveness
        self._dispatch = dispatch
        self._requests = Requests(limits.max_header_list)
        self._rest = b""
        self._greeted = False
        self._blocks = Blocks(limits.max_header_list)
        self._held = 0
        self._last = 0
        self._receive_window = _WINDOW
        self._leaving = False
        self._refusing = False
        self._closed = False
        self._floods = Floods(limits.max_control)

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._outbox = Outbox(self.loop, self.transport)
        self.write = self._outbox.write
        limits = self.limits
        self._liveness = Liveness(limits.handshake, limits.idle_ping, self._ask, self._abort)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            LOG.info("%s did not choose h2 by ALPN: closed", self.peer())
            self._abort()
            return
        self.load.connections.add(self)
        values = {
            frames.MAX_CONCURRENT_STREAMS: limits.max_streams,
            frames.INITIAL_WINDOW_SIZE: limits.window,
            frames.MAX_FRAME_SIZE: MAX_FRAME,
            frames.MAX_HEADER_LIST_SIZE: limits.max_header_list,
        }
        self.write(frames.settings(values))
        self.write(frames.window_update(0, _WINDOW - frames.INITIAL_WINDOW))

    def data_received(self, data: bytes) -> None:
        self._liveness.heard = True
        if self._closed:
            return
        try:
            self._rest = self._read(self._rest + data if self._rest else data)
            if self._rest or self._held or self._blocks.begun:
                self._hold(len(self._rest) + self._blocks.size)
        except ConnectionFault as fault:
            LOG.info("%s broke the protocol: %s (%s)", self.peer(), fault.rule, fault.code.name)
            self.write(frames.goaway(self._last, fault.code, fault.rule))
            self.close()

    def pause_writing(self) -> None:
        self._outbox.paused = True

    def resume_writing(self) -> None:
        self._outbox.paused = False
        self._wake_blocked()

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        self.load.connections.discard(self)
        self._hold(0)
        self._liveness.stop()
        for stream in list(self.streams.values()):
            stream.cancel()

    # Reading

    def _read(self, data: bytes) -> bytes:
        """Handle the frames in ``data``; what is left is the beginning of the next one."""
        start, size = 0, len(data)
        if not self._greeted:
            if not frames.PREFACE.startswith(data[: len(frames.PREFACE)]):
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 connection preface")
            if size < len(frames.PREFACE):
                return data
            start = len(frames.PREFACE)
            self._greeted = True
            self._liveness.begun()
        while size - start >= frames.HEADER_SIZE and not self._closed:
            length = data[start] << 16 | data[start + 1] << 8 | data[start + 2]
            if length > MAX_FRAME:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame above MAX_FRAME_SIZE")
            end = start + frames.HEADER_SIZE + length
            if end > size:
                break
            kind, flags = data[start + 3], data[start + 4]
            stream = int.from_bytes(data[start + 5 : start + 9], "big") & frames.MAX_WINDOW
            payload = data[start + frames.HEADER_SIZE : end]
            start = end
            if self._blocks.begun and kind != frames.CONTINUATION:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block is interrupted")
            try:
                if kind == frames.DATA:
                    self._on_data(flags, stream, payload)
                elif kind == frames.HEADERS:
                    self._on_headers(flags, stream, payload)
                elif kind in _OTHERS:
                    if kind != frames.WINDOW_UPDATE:
                        self._floods.count()
                    _OTHERS[kind](self, flags, stream, payload)
            except StreamFault as fault:
                # As dear as a RST_STREAM of the peer's own: a call may have begun for it.
                self._floods.count()
                LOG.info("%s broke the protocol in a call: %s", self.peer(), fault.rule)
                self._reset(fault.stream, fault.code)
        return data[start:]

    def _hold(self, size: int) -> None:
        """Count the bytes of a frame or header block that is not complete.

        It cannot be refused for itself, so there is as much room again before it costs the
        connection.
        """
        if size == self._held:
            return
        more = size > self._held
        self.load.pending += size - self._held
        self._held = size
        if more and self.load.pending > 2 * self.limits.max_pending:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "max_pending")

    def _on_data(self, flags: int, id_: int, payload: bytes) -> None:
        size = len(payload)
        self._receive_window -= size
        if self._receive_window < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than the window")
        if self._receive_window * 2 < _WINDOW:
            self.write(frames.window_update(0, _WINDOW - self._receive_window))
            self._receive_window = _WINDOW
        end = flags & frames.END_STREAM
        if not size and not end:
            self._floods.count()
        stream = self.streams.get(id_)
        if stream is None:
            return self._expect_known(id_)
        if stream.ended:
            raise StreamFault(id_, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM")
        try:
            stream.receive(frames.unpadded(flags, payload), size)
            if end:
                self._end(stream)
        except Refused as refused:
            stream.refuse(refused.code, refused.message)
        return None

    def _end(self, stream: Stream) -> None:
        stream.end()
        self._dispatch.complete(stream)

    def _expect_known(self, id_: int) -> None:
        """Frames of a stream that is over are nothing wrong: they were on their way."""
        if id_ == 0 or id_ > self._last or id_ % 2 == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a frame of the idle stream {id_}")

    def _on_headers(self, flags: int, id_: int, payload: bytes) -> None:
        block = self._blocks.begin(flags, id_, payload)
        if block is not None:
            self._on_block(*block)

    def _on_continuation(self, flags: int, id_: int, payload: bytes) -> None:
        block = self._blocks.go_on(flags, id_, payload)
        if block is not None:
            self._on_block(*block)

    def _on_block(self, flags: int, id_: int, block: bytes) -> None:
        end = bool(flags & frames.END_STREAM)
        if id_ <= self._last:
            self._on_trailers(id_, block, end=end)
            return
        self._last = id_
        try:
            request = self._requests.read(block)
        except Malformed as error:
            raise StreamFault(id_, ErrorCode.PROTOCOL_ERROR, str(error)) from error
        if self._refusing or len(self.streams) >= self.limits.max_streams:
            self.write(frames.rst_stream(id_, ErrorCode.REFUSED_STREAM))
            return
        stream = self.streams[id_] = Stream(self, id_, request)
        if end:
            stream.ended = True
        try:
            self.load.begin(request.size)
            if request.http_status != 200:
                stream.refuse_http(request.http_status)
            elif request.refusal is not None:
                stream.finish(*request.refusal)
            else:
                self._dispatch.begin(stream)
        except Refused as refused:
            stream.finish(refused.code, refused.message)

    def _on_trailers(self, id_: int, block: bytes, *, end: bool) -> None:
        self._requests.decode(block)  # The table must stay the same as the client's.
        stream = self.streams.get(id_)
        if stream is None:
            return
        if stream.ended:
            raise StreamFault(id_, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
        if not end:
            raise StreamFault(id_, ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM")
        try:
            self._end(stream)
        except Refused as refused:
            stream.refuse(refused.code, refused.message)

    def _on_priority(self, flags: int, id_: int, payload: bytes) -> None:
        if id_ == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PRIORITY of the connection")
        if len(payload) != 5:
            raise StreamFault(id_, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY not of 5 bytes")

    def _on_rst_stream(self, flags: int, id_: int, payload: bytes) -> None:
        frames.expect_size(payload, 4, "RST_STREAM")
        stream = self.streams.get(id_)
        if stream is None:
            self._expect_known(id_)
        else:
            stream.cancel()

    def _on_settings(self, flags: int, id_: int, payload: bytes) -> None:
        frames.expect_connection(id_, "SETTINGS")
        if flags & frames.ACK:
            return frames.expect_size(payload, 0, "an acknowledgement of SETTINGS")
        values = frames.read_settings(payload)
        window = values.get(frames.INITIAL_WINDOW_SIZE, self.peer_window)
        for stream in self.streams.values():
            stream.send_window += window - self.peer_window
            if stream.send_window > frames.MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31-1")
        self.peer_window = window
        self.peer_max_frame = values.get(frames.MAX_FRAME_SIZE, self.peer_max_frame)
        self.peer_max_header_list = values.get(
            frames.MAX_HEADER_LIST_SIZE, self.peer_max_header_list
        )
        self.write(frames.SETTINGS_ACK)
        return self._wake_blocked()

    def _on_push_promise(self, flags: int, id_: int, payload: bytes) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client")

    def _on_ping(self, flags: int, id_: int, payload: bytes) -> None:
        frames.expect_connection(id_, "PING")
        frames.expect_size(payload, 8, "PING")
        if not flags & frames.ACK:
            self.write(frames.ping(payload, ack=True))
        elif payload == _DRAIN and self._leaving:
            # The client knows: streams that come from now on it may send elsewhere.
            self._refusing = True
            self.write(frames.goaway(self._last, ErrorCode.NO_ERROR))
            self._close_if_done()

    def _on_goaway(self, flags: int, id_: int, payload: bytes) -> None:
        frames.expect_connection(id_, "GOAWAY")
        self._leaving = self._refusing = True
        self._close_if_done()

    def _on_window_update(self, flags: int, id_: int, payload: bytes) -> None:
        frames.expect_size(payload, 4, "WINDOW_UPDATE")
        increment = int.from_bytes(payload, "big") & frames.MAX_WINDOW
        if id_ == 0:
            if increment == 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
            self.send_window += increment
            if self.send_window > frames.MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31-1")
            return self._wake_blocked()
        stream = self.streams.get(id_)
        if stream is None:
            return self._expect_known(id_)
        if increment == 0:
            raise StreamFault(id_, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
        stream.send_window += increment
        if stream.send_window > frames.MAX_WINDOW:
            raise StreamFault(id_, ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31-1")
        return stream.wake_writer()

    # Writing

    def room(self, stream: Stream) -> int:
        """How many bytes of data a stream may send now."""
        if self._outbox.paused:
            return 0
        return min(self.send_window, stream.send_window)

    def _wake_blocked(self) -> None:
        for stream in list(self.blocked):
            stream.wake_writer()

    # The end

    def _reset(self, id_: int, code: ErrorCode) -> None:
        stream = self.streams.get(id_)
        if stream is None:
            self.write(frames.rst_stream(id_, code))
        else:
            stream.reset(code)

    def forget(self, stream: Stream) -> None:
        """A stream is over."""
        self.streams.pop(stream.id, None)
        if self._leaving:
            self._close_if_done()

    def drain(self) -> None:
        """Ask the client to send no more calls; the connection closes after the last one.

        In two steps (RFC 9113, 6.8), so that calls which are on their way are not lost.
        """
        self._leaving = True
        self.write(frames.goaway(frames.MAX_WINDOW, ErrorCode.NO_ERROR))
        self.write(frames.ping(_DRAIN, ack=False))
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._refusing and not self.streams:
            self.close()

    def close(self) -> None:
        """Send what is left, and end; calls under way are cancelled."""
        self._outbox.flush()
        self._closed = True
        self.transport.close()
        if self.transport.get_write_buffer_size():
            # A peer that reads nothing must not hold it open.
            self._liveness.leaving()
        for stream in list(self.streams.values()):
            stream.cancel()

    def _abort(self) -> None:
        self._closed = True
        self.transport.abort()

    def _ask(self) -> None:
        self.write(frames.ping(b"be there", ack=False))

    def peer(self) -> str:
        """The address of the client, as gRPC writes it."""
        return peer.address(self.transport)


_OTHERS: Final[Mapping[int, Callable[[Connection, int, int, bytes], None]]] = MappingProxyType(
    {
        frames.PRIORITY: Connection._on_priority,
        frames.RST_STREAM: Connection._on_rst_stream,
        frames.SETTINGS: Connection._on_settings,
        frames.PUSH_PROMISE: Connection._on_push_promise,
        frames.PING: Connection._on_ping,
        frames.GOAWAY: Connection._on_goaway,
        frames.WINDOW_UPDATE: Connection._on_window_update,
        frames.CONTINUATION: Connection._on_continuation,
    }
)
"""Frames of any other type are ignored (RFC 9113, 4.1)."""
