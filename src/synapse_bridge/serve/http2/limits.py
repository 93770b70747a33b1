"""What a peer may ask of a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what connections can make the server hold or do.

    Sizes are in bytes, times in seconds. A peer that goes beyond a bound on messages or calls has
    that call refused; one that goes beyond the others has its connection closed.
    """

    max_receive: int = 64 * 1024 * 1024
    """The largest request message."""
    max_send: int = 64 * 1024 * 1024
    """The largest response message."""
    max_header_list: int = 16 * 1024
    """The largest header list of a request, 32 bytes added per field (RFC 9113, 6.5.2). A call with
    a larger one is refused; one of four times the size costs the connection."""
    max_streams: int = 1000
    """Calls at once on a connection; the peer is told, and more are refused as retryable."""
    max_connections: int = 10_000
    """Connections of a server, TLS handshakes among them. One more is told GOAWAY, and closed; with
    TLS it is closed at once."""
    max_calls: int = 100_000
    """Calls of a server that are on the wire, whether they run or their request is still coming."""
    max_pending: int = 512 * 1024 * 1024
    """Bytes that a server holds of headers and requests that no handler has taken. A call beyond it
    is refused; a frame that is not complete costs the connection beyond twice of it."""
    arrival: float = 60.0
    """How long the one message of a request may take, from its headers to its end."""
    window: int = 1024 * 1024
    """Bytes of request messages per call that nobody has taken yet."""
    handshake: float = 20.0
    """How long a peer may take to begin to speak HTTP/2."""
    max_control: int = 10_000
    """Frames in a second that ask for work without carrying a call: PING, SETTINGS, RST_STREAM and
    the like."""
    idle_ping: float = 7200.0
    """A connection that is silent for so long is asked whether it is still there, and closed if it
    does not answer within ``handshake``."""
