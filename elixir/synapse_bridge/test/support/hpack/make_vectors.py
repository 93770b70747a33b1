"""Writes HPACK test vectors made by the PyPI library `hpack`.

    python make_vectors.py > vectors.txt

A vector is one connection: header blocks that share a dynamic table, whose size changes on the way.
Lines, fields separated by a tab, strings as base64 (so that any byte can stand in them):

    connection  <largest table size that the decoder allows>
    block       <bytes of the block>
    field       <name>  <value>         (the fields of the block before, in order)

and, for the Huffman code alone:

    huffman     <string>  <its code>
"""

from __future__ import annotations

import random
from base64 import b64encode

from hpack import Encoder
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

CONNECTIONS = 40
BLOCKS = 12
TABLE_SIZES = (0, 64, 256, 1024, 4096)
NAMES = [
    b":status", b"content-type", b"grpc-status", b"grpc-message", b"date", b"server", b"x-request-id",
    b"grpc-status-details-bin", b"via", b"set-cookie",
]  # fmt: skip
VALUES = [b"", b"0", b"200", b"application/grpc", b"a=1; b=2", b"nghttpd", b"Hello, World!"]


def random_bytes(rng: random.Random, longest: int) -> bytes:
    """Mostly text, as headers are; sometimes any bytes."""
    length = rng.choice((rng.randint(0, 12), rng.randint(0, longest)))
    top = rng.choice((126, 126, 255))
    return bytes(rng.randint(0 if top == 255 else 32, top) for _ in range(length))


def random_field(rng: random.Random) -> tuple[bytes, bytes, bool]:
    name = rng.choice([*NAMES, b"x-" + random_bytes(rng, 10)])
    value = rng.choice([*VALUES, random_bytes(rng, 60), random_bytes(rng, 300)])
    return name, value, rng.random() < 0.1


def line(*columns: str | bytes) -> None:
    print(*(c if isinstance(c, str) else b64encode(c).decode() for c in columns), sep="\t")


def connection(rng: random.Random) -> None:
    limit = rng.choice(TABLE_SIZES)
    encoder = Encoder()
    line("connection", str(limit))
    # The decoder allows `limit`; an encoder that starts at 4096 must say so first.
    encoder.header_table_size = limit
    for _ in range(BLOCKS):
        if rng.random() < 0.3:
            for _ in range(rng.randint(1, 2)):
                encoder.header_table_size = rng.randint(0, limit)
        fields = [random_field(rng) for _ in range(rng.randint(1, 8))]
        line("block", encoder.encode(fields, huffman=rng.random() < 0.7))
        for name, value, _sensitive in fields:
            line("field", name, value)


def main() -> None:
    rng = random.Random(7541)
    huffman = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
    for symbol in range(256):
        line("huffman", bytes([symbol]), huffman.encode(bytes([symbol])))
    for _ in range(50):
        string = random_bytes(rng, 100)
        line("huffman", string, huffman.encode(string))
    for _ in range(CONNECTIONS):
        connection(rng)


if __name__ == "__main__":
    main()
