"""Bytes."""

from typing import Annotated

from pydantic import BaseModel, Field


class Blob(BaseModel):
    data: Annotated[bytes, Field(min_length=1, max_length=1024)]
    magic: bytes = b"\x00\xff"
    signature: bytes | None = None
    parts: list[bytes] = []


EXAMPLES = [
    Blob(data=b"\x00"),
    Blob(data=bytes(range(256)), magic=b"", signature=b"s", parts=[b"", b"\xff"]),
]


def digest(blob: Blob) -> bytes:
    """The first bytes."""
    return blob.data[:4]


def echo(value: Blob) -> Blob:
    """Returns the blob."""
    return value
