"""OpenTelemetry: a span for every call, which joins the client's trace, and its duration.

Names follow the semantic conventions of RPC servers and of gRPC. Only the API is used: which SDK
records, and where to, is configured by the program or by ``opentelemetry-instrument``.
"""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable
from typing import Any, Literal

import grpc

from synapse_bridge.serve.call import Call
from synapse_bridge.serve.gate.limits import host_of
from synapse_bridge.serve.loading import CannotServe

_OUR_FAULT = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Codes that make a server's span an error; the others are the client's doing."""


def telemetry(
    wanted: Literal["auto", "always", "never"], paths: frozenset[str]
) -> Telemetry | None:
    """What tells OpenTelemetry, or ``None``. ``paths`` are the methods that there are.

    ``always`` raises :class:`CannotServe` where nothing would be recorded; ``auto`` does without.
    """
    if wanted == "never":
        return None
    try:
        from opentelemetry import metrics, trace  # pants: no-infer-dep
    except ImportError:
        if wanted == "always":
            text = "OpenTelemetry is not installed: pip install 'synapse_bridge[otel]'"
            raise CannotServe(f"--telemetry: {text}") from None
        return None
    if not any(map(_records, (trace.get_tracer_provider(), metrics.get_meter_provider()))):
        if wanted == "always":
            raise CannotServe(
                "--telemetry: OpenTelemetry has no provider: set one up in your module, or start "
                "the server with opentelemetry-instrument"
            )
        return None
    return Telemetry(paths)


def _records(provider: object) -> bool:
    """Whether a provider is more than the API's stand-ins, which record nothing."""
    api = ("opentelemetry.trace", "opentelemetry.metrics")
    return not type(provider).__module__.startswith(api)


def _address(peer: str) -> str:
    """``192.0.2.1`` of ``ipv4:192.0.2.1:50412``, ``::1`` of ``ipv6:%5B::1%5D:50412``."""
    if not peer.startswith(("ipv4:", "ipv6:")):
        return peer
    return urllib.parse.unquote(host_of(peer).partition(":")[2]).strip("[]")


class Telemetry:
    """Tells OpenTelemetry about calls."""

    def __init__(self, paths: frozenset[str]) -> None:
        from opentelemetry import context, metrics, propagate, trace  # pants: no-infer-dep

        self._paths = paths
        self._context = context
        self._extract = propagate.extract
        self._trace = trace
        self._tracer = trace.get_tracer("synapse_bridge.serve")
        self._duration = metrics.get_meter("synapse_bridge.serve").create_histogram(
            "rpc.server.call.duration",
            unit="s",
            description="Measures the duration of an incoming Remote Procedure Call (RPC).",
        )

    def begin(self, call: Call, context: Any) -> Callable[[grpc.StatusCode], None]:
        """Start a span and make it the current one of the call's task."""
        # A client may ask for any path, and each would be a series of its own.
        method = call.method.removeprefix("/") if call.method in self._paths else "_OTHER"
        attributes: dict[str, Any] = {"rpc.system.name": "grpc", "rpc.method": method}
        headers = {
            key: value
            for key, value in context.invocation_metadata() or ()
            if isinstance(value, str)
        }
        span = self._tracer.start_span(
            method,
            context=self._extract(headers),
            kind=self._trace.SpanKind.SERVER,
            attributes={
                **attributes,
                "client.address": _address(call.peer),
                "synapse_bridge.correlation_id": call.correlation,
            },
        )
        token = self._context.attach(self._trace.set_span_in_context(span))
        started = time.perf_counter()

        def end(code: grpc.StatusCode) -> None:
            attributes["rpc.response.status_code"] = code.name
            span.set_attribute("rpc.response.status_code", code.name)
            if code in _OUR_FAULT:
                attributes["error.type"] = code.name
                span.set_attribute("error.type", code.name)
                span.set_status(self._trace.StatusCode.ERROR)
            if call.identity:
                span.set_attribute("enduser.id", call.identity.name)
            self._duration.record(time.perf_counter() - started, attributes)
            self._context.detach(token)
            span.end()

        return end
