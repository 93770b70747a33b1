"""Header fields: the request that a header block describes, and the blocks of responses.

Decoding is the ``hpack`` library's. A client repeats itself, so the request that a block stands for
is remembered for as long as the decoder's table stays as it is. Responses are literals without
indexing (RFC 7541, 6.2.2): there is no table to keep, and the usual ones are constants.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import grpc
import hpack
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from synapse_bridge.serve.http2.frames import ConnectionFault, ErrorCode

MOST_REMEMBERED: Final = 64 * 1024
"""Bytes of the header lists whose requests a connection remembers."""
BEYOND: Final = 4
"""How many times the limit a header list may have before it costs the connection. Decoding must
go to the end of a block, so a list that is only refused has to be decoded."""
ENCODINGS: Final = ("identity", "gzip", "deflate")


class Metadatum(NamedTuple):
    """One piece of metadata; the values of keys that end in ``-bin`` are bytes."""

    key: str
    value: str | bytes


Metadata: TypeAlias = "tuple[Metadatum, ...]"


class Malformed(Exception):
    """A request that breaks RFC 9113, 8.3: the stream is reset."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the header block of a call says.

    ``size`` is that of the header list, ``timeout`` in seconds, ``length`` the promised size of the
    body. ``http_status`` refuses what is no gRPC call at all; ``refusal`` is the gRPC status and
    message of a call that is one, and that cannot be answered otherwise.
    """

    path: str
    size: int = 0
    metadata: Metadata = ()
    timeout: float | None = None
    encoding: str = "identity"
    length: int | None = None
    http_status: int = 200
    refusal: tuple[grpc.StatusCode, str] | None = None


class _Table(HeaderTable):
    """A table that counts its changes."""

    changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.changes += 1
        super().add(name, value)


class Requests:
    """The requests of one connection."""

    def __init__(self, max_header_list: int) -> None:
        self._limit = max_header_list
        self._decoder = hpack.Decoder(max_header_list_size=BEYOND * max_header_list)
        self._table = self._decoder.header_table = _Table()
        self._known: dict[bytes, Request] = {}
        self._known_size = 0

    def read(self, block: bytes) -> Request:
        """The request that a block describes.

        Raises :class:`Malformed` for one that may not be, and a fault of the connection for a block
        that cannot be decoded, since all later ones depend on it.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        changes = self._table.changes
        fields = self.decode(block)
        # What begins with 001 changes the size of the table (RFC 7541, 6.3), and may evict.
        resized = block[:1] >= b"\x20" and block[:1] < b"\x40"
        same = self._table.changes == changes and not resized
        request = read_request(fields)
        size = sum(len(name) + len(value) + 32 for name, value in fields)
        if not same or self._known_size + size > MOST_REMEMBERED:
            self._known.clear()
            self._known_size = 0
        if size > self._limit:
            text = f"The headers have {size} bytes, where {self._limit} are allowed (max_header)"
            refusal = (grpc.StatusCode.RESOURCE_EXHAUSTED, text)
            return replace(request, metadata=(), refusal=refusal)
        request = replace(request, size=size)
        if same:
            self._known[block] = request
            self._known_size += size
        return request

    def decode(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """The fields of a block; raises a fault of the connection."""
        try:
            return list(self._decoder.decode(block, raw=True))
        except OversizedHeaderListError as error:
            rule = "a header list above SETTINGS_MAX_HEADER_LIST_SIZE"
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, rule) from error
        except (HPACKError, IndexError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, f"HPACK: {error}") from error


_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
_OF_CONNECTIONS = frozenset(
    {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
)
_OWN = frozenset({b"te", b"content-type", b"content-length", b"grpc-timeout", b"grpc-encoding"})
"""Fields that are the transport's; everything else is metadata of the call."""

_TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])")
_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


def read_request(fields: Iterable[tuple[bytes, bytes]]) -> Request:
    """The request of some fields (RFC 9113, 8.3, and gRPC's "Protocol over HTTP/2")."""
    pseudo: dict[bytes, bytes] = {}
    own: dict[bytes, bytes] = {}
    metadata: list[Metadatum] = []
    refusal = None
    regular = False
    for name, value in fields:
        if name[:1] == b":":
            if regular or name not in _PSEUDO or name in pseudo:
                raise Malformed(f"the pseudo-header field {name.decode('ascii', 'replace')}")
            pseudo[name] = value
            continue
        regular = True
        if name in _OWN:
            own[name] = value
        elif name != name.lower() or name in _OF_CONNECTIONS:
            raise Malformed(f"the field {name.decode('ascii', 'replace')}")
        else:
            try:
                metadata += _metadata(name, value)
            except ValueError:
                text = f"metadata {name.decode('ascii', 'replace')} cannot be read"
                refusal = (grpc.StatusCode.INTERNAL, text)
    if own.get(b"te", b"trailers") != b"trailers":
        raise Malformed("the field te")
    for required in (b":method", b":scheme", b":path"):
        if not pseudo.get(required):
            raise Malformed(f"no {required.decode()}")
    timeout, length = own.get(b"grpc-timeout"), own.get(b"content-length")
    if length is not None and not length.isdigit():
        raise Malformed("the field content-length")
    seconds = None
    if timeout is not None:
        parsed = _TIMEOUT.fullmatch(timeout)
        if parsed is None:
            refusal = (grpc.StatusCode.INTERNAL, "grpc-timeout is no time")
        else:
            seconds = int(parsed[1]) * _UNITS[parsed[2]]
    encoding = own.get(b"grpc-encoding", b"identity").decode("latin-1")
    if encoding not in ENCODINGS:
        refusal = (grpc.StatusCode.UNIMPLEMENTED, f"grpc-encoding {encoding} is not supported")
    http_status = 200
    if pseudo[b":method"] != b"POST":
        http_status = 405
    elif not own.get(b"content-type", b"").startswith(b"application/grpc"):
        http_status = 415
    return Request(
        path=pseudo[b":path"].decode("latin-1"),
        metadata=tuple(metadata),
        timeout=seconds,
        encoding=encoding,
        length=None if length is None else int(length),
        http_status=http_status,
        refusal=refusal,
    )


def _metadata(name: bytes, value: bytes) -> list[Metadatum]:
    """A field as metadata; raises ``ValueError`` for one that is not well-formed."""
    key = name.decode("ascii")
    if not key.endswith("-bin"):
        return [Metadatum(key, value.decode("ascii"))]
    # Several values may be joined; padding may be left out.
    return [
        Metadatum(key, base64.b64decode(one + b"=" * (-len(one) % 4), validate=True))
        for one in value.replace(b" ", b"").split(b",")
    ]


# Responses

_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_KEY = re.compile(r"[0-9a-z_.-]+")


def literal(name: bytes, value: bytes) -> bytes:
    """A field without indexing and without Huffman coding (RFC 7541, 6.2.2)."""
    return b"".join((b"\0", _length(name), name, _length(value), value))


def _length(text: bytes) -> bytes:
    """The length of a string as an integer with a prefix of seven bits (RFC 7541, 5.1)."""
    size = len(text)
    if size < 127:
        return bytes((size,))
    out = [127]
    size -= 127
    while size >= 128:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out)


_STATUS_200 = b"\x88"
HEAD: Final = _STATUS_200 + literal(b"content-type", b"application/grpc")
"""What every response begins with."""
TRAILERS_OK: Final = literal(b"grpc-status", b"0")


def http_error(status: int) -> bytes:
    """The block that answers what is no gRPC call."""
    return literal(b":status", str(status).encode())


def trailers(
    code: grpc.StatusCode, message: str, metadata: Iterable[tuple[str, str | bytes]]
) -> bytes:
    """The block that ends a call. Raises ``ValueError`` for metadata that cannot be sent."""
    block = literal(b"grpc-status", str(code.value[0]).encode())
    if message:
        encoded = urllib.parse.quote(message, safe=_PRINTABLE, errors="replace")
        block += literal(b"grpc-message", encoded.encode())
    return block + metadata_block(metadata)


def metadata_block(metadata: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Metadata as fields; raises ``ValueError`` for what cannot be sent."""
    return b"".join(literal(key.encode(), _value(key, value)) for key, value in metadata)


def _value(key: str, value: str | bytes) -> bytes:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no metadata key: lower-case letters, digits and _ . -")
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise ValueError(f"the metadata {key} needs bytes")
        return base64.b64encode(value).rstrip(b"=")
    text = value if isinstance(value, str) else value.decode("latin-1")
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"the metadata {key} is not printable ASCII; end its key with -bin")
    return text.encode()
