"""The messages of a method as JSON, in the place of protobuf's bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic_core import ValidationError

from synapse_bridge.contract import model
from synapse_bridge.contract.model import Contract
from synapse_bridge.mcp.reading import Reader
from synapse_bridge.mcp.scalars import Unfit
from synapse_bridge.mcp.schemas import RESULT
from synapse_bridge.mcp.writing import Writer
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.failure import InvalidArguments, ResultMismatch
from synapse_bridge.serve.path import path
from synapse_bridge.serve.service import Method


class JSONCodec(Codec):
    """Reads requests that are objects of arguments by name, and writes results by themselves.

    Everything between is what other clients get: the fields of protobuf's messages are read and
    written by the generated code, and checked as ever.
    """

    def __init__(self, method: Method, contract: Contract, known: model.Method) -> None:
        super().__init__(method)
        self._reader = Reader(contract)
        self._writer = Writer(contract)
        self._known = known

    @property
    def has_arguments(self) -> bool:
        """Yes: also where there is none, what was sent too many must be found."""
        return True

    def request(self, data: bytes) -> Any:
        """The JSON in a request, which is read when it is known what is asked of it."""
        return json.loads(data)

    def arguments(self, request: Any) -> dict[str, Any]:
        """The validated arguments that a request carries."""
        try:
            fields = self._reader.read(self._known.request, request)
        except ValidationError as error:
            raise InvalidArguments() from error
        return super().arguments(self._method.request(**fields))

    def items(self, request: Any, index: int) -> Iterator[Any]:
        """The validated item that a request carries, if any; ``index`` is its position."""
        name = self._known.stream
        assert name is not None
        if name not in request:
            return
        try:
            fields = self._reader.field(self._known.request, name, request[name])
        except ValidationError as error:
            raise InvalidArguments(name, index) from error
        yield from super().items(self._method.request(**fields), index)

    def response(self, result: Any, *index: int) -> bytes:
        """The JSON of a result, or of the item of it at that position."""
        message = self.message(result, *index)
        try:
            written = self._writer.write(self._known.response, message)
        except Unfit as error:
            _, *rest = error.at
            raise ResultMismatch(f"{path((RESULT, *index, *rest))}: {error}") from None
        return json.dumps(written.get(RESULT), ensure_ascii=False, allow_nan=False).encode()
