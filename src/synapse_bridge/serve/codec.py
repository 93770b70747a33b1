"""The messages of a method: bytes to arguments and items, results to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError, Message
from pydantic_core import ValidationError

from synapse_bridge.contract.wire import MAX_DEPTH
from synapse_bridge.serve import arguments, exact, malformed, quick, unreadable
from synapse_bridge.serve.failure import InvalidArguments, InvalidRequest, ResultMismatch
from synapse_bridge.serve.service import Method


class Codec:
    """Reads and writes for one method. Validators of the user's models run here, and may block.

    Where the request is a stream, the parameters that are none come with its first message, and
    every message may carry one item. Places in the stream have the item's position in front:
    ``lines[3].text`` is in the fourth item. The same goes for results that are streams.
    """

    def __init__(self, method: Method) -> None:
        self._method = method
        self._parse = method.request.FromString
        self._is_strange = malformed.strangeness(method.request.DESCRIPTOR)
        self._read = unreadable.checked(method.arguments)
        annotations = arguments.hints(method.function)
        apart = {name for name in (method.stream, method.context) if name}
        as_sent = not method.types.customs
        self._validate = arguments.validator(
            method.function, apart, method.annotations, as_sent=as_sent
        )
        self._validate_item: Callable[[Any], Any] = lambda value: value
        self._read_items: Callable[[Any], Sequence[Any]] = lambda request: ()
        if method.items:
            self._read_items = unreadable.checked_items(method.items)
        if method.stream:
            stream = annotations.get(method.stream, Any)
            self._validate_item = arguments.item_validator(stream, as_sent=as_sent)
        result = arguments.result(method)
        if method.streams_result:
            result = arguments.item(result)
        self._check = exact.checker(result, method.types)
        self._fits = quick.never if self._check.recursive else quick.fits(self._check.schema)
        self._make = method.response

    @property
    def has_arguments(self) -> bool:
        """Whether there is a parameter that comes in the (first) request."""
        fields = self._method.request.DESCRIPTOR.fields
        return len(fields) > (1 if self._method.stream else 0)

    def request(self, data: bytes) -> Message:
        """The message in a request, without the fields that this version does not know."""
        try:
            message = self._parse(data)
        except DecodeError as error:
            kind = self._method.request
            if (fault := malformed.fault(kind, data, is_read=False)) is not None:
                raise InvalidArguments() from fault
            raise InvalidRequest(kind.DESCRIPTOR.full_name) from error
        if self._is_strange(message, len(data)):
            fault = malformed.fault(self._method.request, data, is_read=True)
            if fault is not None:
                raise InvalidArguments() from fault
        return message

    def arguments(self, request: Message) -> dict[str, Any]:
        """The validated arguments that a request carries."""
        try:
            return self._validate(self._read(request))
        except ValidationError as error:
            raise InvalidArguments() from error

    def items(self, request: Message, index: int) -> Iterator[Any]:
        """The validated item that a request carries, if any; ``index`` is its position."""
        assert self._method.stream is not None
        try:
            for value in self._read_items(request):
                yield self._validate_item(value)
        except ValidationError as error:
            raise InvalidArguments(self._method.stream, index) from error

    def response(self, result: Any, *index: int) -> bytes:
        """The response that carries a result, or the item of it at that position."""
        try:
            if self._fits(result):
                return self._make(result).SerializeToString()
        except Exception:
            pass  # What protobuf refuses has its path from the check.
        message = self.message(result, *index)
        response = message.SerializeToString()
        if self._check.recursive:
            # Serializing knows no limit of depth, but parsing does.
            try:
                type(message).FromString(response)
            except DecodeError:
                place = "".join(f"[{part}]" for part in index)
                raise ResultMismatch(
                    f"result{place}: nested deeper than {MAX_DEPTH} levels"
                ) from None
        return response

    def message(self, result: Any, *index: int) -> Message:
        """The response message of a result, which is checked to fit the function's annotation."""
        try:
            self._check.check(result)
        except ValidationError as error:
            raise ResultMismatch.of(error, *index) from None
        try:
            return self._make(result)
        except Exception as error:
            # Not the function's failure, so its type must not decide about the code.
            raise RuntimeError("the result cannot be converted to its message") from error
