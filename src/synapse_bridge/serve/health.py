"""The standard health service: ``grpc.health.v1.Health``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

Response = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # protoc gives it no types
    """Answers for some services, which serve or do not serve all together.

    Unlike that of grpcio, a watch ends with NOT_SERVING when the server leaves: it would hold the
    server up for as long as calls are given to finish.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services)
        self._status = Response.NOT_SERVING
        self._leaving = False
        self._changed = asyncio.Event()

    def serve(self) -> None:
        """From now on the services serve."""
        self._tell(Response.SERVING)

    def leave(self) -> None:
        """From now on, and for good, they do not."""
        self._leaving = True
        self._tell(Response.NOT_SERVING)

    def _tell(self, status: Any) -> None:
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: Any, context: Any) -> Any:
        """The status of a service now."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service here")
        return Response(status=self._status)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """The status of a service, and each other one that it gets."""
        known = request.service in self._services
        told = None
        while True:
            status = self._status if known else Response.SERVICE_UNKNOWN
            if status != told:
                told = status
                yield Response(status=status)
            elif self._leaving:
                return
            else:
                await self._changed.wait()
