"""A gRPC server transport on asyncio: HTTP/2 as far as gRPC needs it, and nothing else.

:class:`Server` takes the place of ``grpc.aio.Server``: it serves the same generic handlers with the
same servicer context, so that generated code, grpcio's health and reflection services and anyone's
servicers run on either. It exists for speed: what grpc.aio spends on a call between the socket
and the handler is several times what the call itself needs (``docs/performance.md``).

==================  ================================================================
:mod:`.frames`      frames as bytes: RFC 9113, section 6
:mod:`.fields`      header blocks, and the request that they describe
:mod:`.blocks`      header blocks out of frames
:mod:`.connection`  one connection: reads frames, keeps its streams and their limits
:mod:`.load`        what all connections hold together, and the limits on that
:mod:`.stream`      one call on the wire: messages in, messages and trailers out
:mod:`.context`     the call as a handler sees it
:mod:`.dispatch`    finds the handler of a call and runs it
:mod:`.listener`    a listening socket: who is accepted, and the TLS handshake
:mod:`.server`      all sockets and connections; draining
==================  ================================================================
"""

from synapse_bridge.serve.http2.limits import Limits
from synapse_bridge.serve.http2.server import Server

__all__ = ["Limits", "Server"]
