"""What a server tells about its calls."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from synapse_bridge.serve.call import Call
from synapse_bridge.serve.conftest import refused, started, stub
from synapse_bridge.serve.identity import Identity
from synapse_bridge.serve.observe import AccessLog

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"

RECORDING = '''
"""Records spans and metrics to standard output, as a user's module would set it up."""
import sys
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

def line(found):
    return found.to_json(indent=None) + "\\n"

provider = TracerProvider()
provider.add_span_processor(
    SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr, formatter=line))
)
trace.set_tracer_provider(provider)
exporter = ConsoleMetricExporter(out=sys.stderr, formatter=line)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter)]))
'''

SCRIPT = """
import dataclasses, os, sys
sys.path.insert(0, os.path.dirname(__file__))
import recording
import probe_server
from opentelemetry import trace

def traced(value: str) -> str:
    with trace.get_tracer("shop").start_as_current_span("inner"):
        return value

methods = tuple(
    dataclasses.replace(method, function=traced) if method.name == "Text" else method
    for method in probe_server.SERVICE.methods
)
probe_server.serve.main(dataclasses.replace(probe_server.SERVICE, methods=methods))
"""


@pytest.fixture
def recording(folder: Path) -> str:
    """The script of a server whose module has set OpenTelemetry up."""
    (folder / "recording.py").write_text(RECORDING)
    (folder / "recording_server.py").write_text(SCRIPT)
    return "recording_server.py"


def test_spans_join_the_clients_trace_and_calls_are_measured(
    folder: Path, pb: Any, recording: str
) -> None:
    with started(folder, script=recording) as server, server.channel() as channel:
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
        stub(channel, "Text")(pb.TextRequest(text="hello"), timeout=20, metadata=metadata)
        server.failure("Fail", pb.TextRequest(text="zero"))
        server.failure("Fail", pb.TextRequest(text="key"))
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/probe.v1.ProbeService/Gone7", bytes, bytes)(b"", timeout=20)
        server.process.terminate()
        server.process.wait(timeout=20)
        told = [json.loads(line) for line in server.log.read_text().splitlines() if line[:1] == "{"]
    spans = [found for found in told if "span_id" in found.get("context", {})]
    inner, text, zero, key, gone = spans
    assert text["name"] == "probe.v1.ProbeService/Text"
    assert text["kind"] == "SpanKind.SERVER"
    assert text["context"]["trace_id"] == f"0x{TRACE}"
    assert text["parent_id"] == f"0x{PARENT}"
    assert text["status"]["status_code"] == "UNSET"
    attributes = text["attributes"]
    assert attributes["rpc.system.name"] == "grpc"
    assert attributes["rpc.method"] == "probe.v1.ProbeService/Text"
    assert attributes["rpc.response.status_code"] == "OK"
    assert attributes["client.address"] == "127.0.0.1"
    # What the function does, in its thread, belongs to the call.
    assert inner["name"] == "inner"
    assert inner["parent_id"] == text["context"]["span_id"]
    assert zero["status"]["status_code"] == "ERROR"
    assert zero["attributes"]["error.type"] == "INTERNAL"
    assert zero["parent_id"] is None
    assert key["status"]["status_code"] == "UNSET"  # NOT_FOUND is the client's doing
    assert key["attributes"]["rpc.response.status_code"] == "NOT_FOUND"
    assert gone["name"] == "_OTHER"
    points = [
        point
        for found in told
        for resource in found.get("resource_metrics", [])
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
        if metric["name"] == "rpc.server.call.duration"
        for point in metric["data"]["data_points"]
    ]
    counted = {
        (point["attributes"]["rpc.method"], point["attributes"]["rpc.response.status_code"]): point[
            "count"
        ]
        for point in points
    }
    assert counted == {
        ("probe.v1.ProbeService/Text", "OK"): 1,
        ("probe.v1.ProbeService/Fail", "INTERNAL"): 1,
        ("probe.v1.ProbeService/Fail", "NOT_FOUND"): 1,
        ("_OTHER", "UNIMPLEMENTED"): 1,
    }


def test_telemetry_can_be_off(folder: Path, pb: Any, recording: str) -> None:
    with started(folder, "--telemetry", "never", script=recording) as server:
        server.call("Text", pb.TextRequest(text="hello"))
        server.process.terminate()
        server.process.wait(timeout=20)
        assert "rpc.method" not in server.log.read_text()


def test_telemetry_that_would_record_nothing_is_refused(folder: Path) -> None:
    error = refused(folder, "--telemetry", "always")
    assert "--telemetry: OpenTelemetry has no provider" in error


def test_a_line_is_one_line_whatever_the_client_is_called() -> None:
    out = io.StringIO()
    name = 'eve code=OK\n{"method": "/s/M"}'
    call = Call("/s/M", "ipv4:192.0.2.1:5", Identity(name, "jwt"), correlation="c0ffee")
    for form in ("text", "json"):
        AccessLog(form, out).begin(call, None)(grpc.StatusCode.ABORTED)
    text, line = out.getvalue().splitlines()
    assert json.loads(line)["identity"] == name
    assert 'identity="eve code=OK\\n{\\"method\\": \\"/s/M\\"}" received=0 sent=0 id=c0ffee' in text
    assert " method=/s/M code=ABORTED ms=" in text
