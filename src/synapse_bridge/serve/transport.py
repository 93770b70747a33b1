"""What carries the calls of a server: our own HTTP/2 transport, or grpcio's.

Both serve the same handlers with the same servicer context. Ours is the default, because a call
costs it a tenth of the processor time (``docs/performance.md``); grpcio's is there for those who
depend on something that only it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

import grpc
import grpc.aio

from synapse_bridge.serve import http2, tls
from synapse_bridge.serve.address import Address, Tcp, Unix, private
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options

Handlers: TypeAlias = "Sequence[grpc.GenericRpcHandler[Any, Any]]"
Methods: TypeAlias = "dict[str, grpc.RpcMethodHandler[Any, Any]]"
Kind: TypeAlias = Literal["http2", "grpcio"]


class Transport(Protocol):
    """What a :class:`~synapse_bridge.serve.server.Server` needs of one."""

    def add_generic_rpc_handlers(self, handlers: Handlers) -> None:
        """Add handlers; of those that know a method, the first one takes it."""

    def add_registered_method_handlers(self, service: str, handlers: Methods) -> None:
        """What protoc's code calls beside :meth:`add_generic_rpc_handlers`."""

    def listen(self, address: Address) -> Address:
        """Bind an address; returns it with its port. Raises :class:`CannotServe`."""

    async def start(self) -> None:
        """Take connections."""

    async def stop(self, grace: float | None) -> None:
        """Take no more connections and calls; cancel what still runs after ``grace`` seconds."""


def transport(options: Options) -> Transport:
    """The transport that the options ask for; belongs to the event loop that runs."""
    return _Grpcio(options) if options.transport == "grpcio" else _Http2(options)


class _Http2(http2.Server):
    def __init__(self, options: Options) -> None:
        super().__init__(
            http2.Limits(
                max_receive=options.max_message,
                max_send=options.max_message,
                max_header_list=options.max_header,
                # The gate tells which limit is reached; here a client would wait in silence.
                max_streams=_beyond(options.max_calls),
                max_calls=_beyond(options.max_calls),
                max_connections=options.max_connections,
                max_pending=options.max_pending,
                arrival=options.max_arrival,
            )
        )
        self._options = options
        self._tls = tls.context(options)

    def listen(self, address: Address) -> Address:
        reuse_port = self._options.reuse_port
        try:
            match address:
                case Tcp(host, port):
                    return Tcp(host, self.bind(host, port, tls=self._tls, reuse_port=reuse_port))
                case Unix(path):
                    address.make_room()
                    self.bind_unix(str(path), tls=self._tls)
                    return address
        except OSError as error:
            raise CannotServe(address.problem(error)) from error


class _Grpcio:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", int(options.reuse_port)),
                ("grpc.max_receive_message_length", options.max_message),
                ("grpc.max_send_message_length", options.max_message),
                ("grpc.max_metadata_size", options.max_header),
                ("grpc.absolute_max_metadata_size", options.max_header),
            ),
            # This counts calls whose request has not come, too.
            maximum_concurrent_rpcs=_beyond(options.max_calls),
        )
        self._credentials = tls.credentials(options)

    def add_generic_rpc_handlers(self, handlers: Handlers) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Methods) -> None:
        self._server.add_registered_method_handlers(service, handlers)  # type: ignore[attr-defined] # the stubs lag behind

    def listen(self, address: Address) -> Address:
        try:
            match address:
                case Tcp(host):
                    address.try_to_bind(reuse_port=self._options.reuse_port)
                    return Tcp(host, self._add_port(address))
                case Unix():
                    address.make_room()
                    with private():
                        self._add_port(address)
                    return address
        except RuntimeError as error:
            raise CannotServe(f"Cannot listen on {address}: {error}") from error

    def _add_port(self, address: Address) -> int:
        if self._credentials:
            return self._server.add_secure_port(str(address), self._credentials)
        return self._server.add_insecure_port(str(address))

    async def start(self) -> None:
        await self._server.start()

    async def stop(self, grace: float | None) -> None:
        await self._server.stop(grace)


def _beyond(calls: int) -> int:
    """Room for calls that the gate refuses, and for those that it does not count."""
    return min(2 * calls + 100, 2**31 - 1)
