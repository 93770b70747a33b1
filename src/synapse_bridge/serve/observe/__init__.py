"""What a server tells about its calls: an access log, and OpenTelemetry's traces and metrics."""

from synapse_bridge.serve.observe.access_log import AccessLog
from synapse_bridge.serve.observe.telemetry import telemetry

__all__ = ["AccessLog", "telemetry"]
