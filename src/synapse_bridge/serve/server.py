"""The server: a service at an address, with health, reflection and a graceful end."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from synapse_bridge.serve import auth, contracts
from synapse_bridge.serve.address import Address, Tcp, Unix
from synapse_bridge.serve.endpoint import Endpoint
from synapse_bridge.serve.failure import Failures
from synapse_bridge.serve.gate import Gate, Handlers, Limits
from synapse_bridge.serve.health import Health
from synapse_bridge.serve.observe import observers
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.rules import Rules
from synapse_bridge.serve.service import Service
from synapse_bridge.serve.threads import Threads
from synapse_bridge.serve.transport import transport

LOG = logging.getLogger("synapse_bridge.serve")

_REFLECTION = (reflection.SERVICE_NAME, "grpc.reflection.v1.ServerReflection")


class Server:
    """One service at one address. Belongs to the event loop that runs when it is made.

    Beside the service itself it answers the standard health protocol, for ``""`` and for the
    service's name, server reflection, v1 and v1alpha, and clients who want to know how their
    contract differs from its own. Raises :class:`CannotServe` for options
    that cannot be followed.
    """

    def __init__(self, service: Service, options: Options) -> None:
        self.service = service
        self.options = options
        self._threads = Threads(options.max_workers, options.max_queue)
        self._health = Health(("", service.name))
        self._transport = transport(options)
        self._transport.add_generic_rpc_handlers([self._gate()])

    async def start(self) -> Address:
        """Listen and serve; returns where. Raises :class:`CannotServe` if that is impossible."""
        self._address = self._transport.listen(self.options.address)
        warn_if_plain(self._address, self.options)
        await self._transport.start()
        self._health.serve()
        return self._address

    async def stop(self) -> None:
        """Refuse new calls, let running ones finish within the grace period, cancel the rest."""
        self._health.leave()
        await self._transport.stop(self.options.grace)
        self._threads.close()
        if isinstance(self._address, Unix):
            self._address.remove()

    def _gate(self) -> Gate:
        options = self.options
        own = frozenset(f"/{self.service.name}/{method.name}" for method in self.service.methods)
        standard = _Standard()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, standard)
        reflected = list(self._reflection()) if options.reflection else []
        told = contracts.handlers(self.service)
        handlers = [self._handlers(), *standard.handlers, told, *reflected]
        paths = own | standard.paths | {f"/{name}/ServerReflectionInfo" for name in _REFLECTION}
        paths |= {f"/{contracts.NAME}/Get"}
        rules = Rules(self.service, options)
        return Gate(
            [*handlers, _NoSuchMethod(self.service.name)],
            paths,
            rules.rule,
            Limits(options.max_calls, options.max_peer_calls),
            access=auth.build(options),
            observers=observers(options, paths),
            max_deadline=options.max_deadline,
            max_arrival=options.max_arrival if options.transport == "http2" else None,
        )

    def _handlers(self) -> Handlers:
        service = self.service
        failures = Failures(service.name, service.contract, self.options.debug)
        handlers = {
            method.name: Endpoint(method, failures, self._threads).handler()
            for method in service.methods
        }
        return grpc.method_handlers_generic_handler(service.name, handlers)

    def _reflection(self) -> Iterable[Handlers]:
        names = (
            self.service.name,
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
            reflection.SERVICE_NAME,
            contracts.NAME,
        )
        aio = reflection.aio  # type: ignore[attr-defined] # the stubs lag behind
        servicer = aio.ReflectionServicer(names, pool=self.service.file.pool)
        handler = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        # v1 has the same messages under another name; the library knows v1alpha only.
        for name in _REFLECTION:
            yield grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})


def warn_if_plain(address: Address, options: Options) -> None:
    """Say it where other machines can connect, and everybody between can read along."""
    if isinstance(address, Tcp) and not options.tls_cert and not address.is_loopback():
        LOG.warning(
            "%s is open to other machines, and nothing is encrypted: say --tls-cert and "
            "--tls-key, or listen on 127.0.0.1 or a Unix socket",
            address,
        )


class _Standard:
    """Takes what generated code would add to a server, as far as it is implemented."""

    def __init__(self) -> None:
        self.handlers: list[Handlers] = []
        self.paths: frozenset[str] = frozenset()

    def add_generic_rpc_handlers(self, handlers: Sequence[Handlers]) -> None:
        """The same handlers as a whole, whose unimplemented ones would run in a thread."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Take the handlers of a service, by the names of their methods."""
        found = {name: handler for name, handler in handlers.items() if _is_async(handler)}
        self.handlers.append(grpc.method_handlers_generic_handler(service, found))
        self.paths |= {f"/{service}/{name}" for name in found}


def _is_async(handler: Any) -> bool:
    function = handler.unary_stream if handler.response_streaming else handler.unary_unary
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


class _NoSuchMethod(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
    """Tells a client that calls a method which the service does not have that it is stale."""

    def __init__(self, service: str) -> None:
        self._service = service

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        service, _, method = handler_call_details.method.removeprefix("/").partition("/")
        if service != self._service:
            return None

        async def refuse(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            text = f"{service} has no method {method}: were client and server generated together?"
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

        return grpc.unary_unary_rpc_method_handler(refuse)
