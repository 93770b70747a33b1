"""What a server tells about its calls: an access log, and OpenTelemetry's traces and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synapse_bridge.serve.observe.access_log import AccessLog
from synapse_bridge.serve.observe.telemetry import telemetry

if TYPE_CHECKING:
    from synapse_bridge.serve.gate import Observer
    from synapse_bridge.serve.options import Options

__all__ = ["AccessLog", "observers", "telemetry"]


def observers(options: Options, paths: frozenset[str]) -> list[Observer]:
    """Those that the options ask for. ``paths`` are the methods that there are."""
    found: list[Observer] = []
    if recorder := telemetry(options.telemetry, paths):
        found.append(recorder)
    if options.access_log:
        found.append(AccessLog(options.access_log))
    return found
