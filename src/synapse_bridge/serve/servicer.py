"""What the contexts of calls have in common, whatever carries the calls: how a call ends."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
import grpc.aio


class ServicerContext(grpc.aio.ServicerContext[Any, Any]):
    """Keeps the status and the trailing metadata that a handler sets.

    Compression of responses is not offered, so asking for it changes nothing.
    """

    _code: Any = None
    _details = ""
    _trailing: Any = ()

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> NoReturn:
        if code is grpc.StatusCode.OK:
            raise ValueError("a call is not aborted with OK")
        self._code, self._details = code, details
        if trailing_metadata:
            self.set_trailing_metadata(trailing_metadata)
        raise grpc.aio.AbortError

    async def abort_with_status(self, status: Any) -> NoReturn:
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing = tuple(trailing_metadata or ())

    def trailing_metadata(self) -> Any:
        return self._trailing

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code if self._code is not None else grpc.StatusCode.OK

    def set_details(self, details: str) -> None:
        self._details = details

    def details(self) -> str:
        return self._details

    def set_compression(self, compression: grpc.Compression) -> None:
        pass

    def disable_next_message_compression(self) -> None:
        pass
