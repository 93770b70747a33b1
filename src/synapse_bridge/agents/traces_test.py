"""An agent's own spans are part of its caller's trace."""

from __future__ import annotations

import asyncio

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai.models.instrumented import InstrumentationSettings

from synapse_bridge.agents.testing import Client, serving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_spans_of_a_run_are_below_that_of_its_call() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async def main() -> None:
        async with serving(telemetry="always") as client:
            await asyncio.wait_for(_called(client, provider), 30)

    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER = provider
    try:
        asyncio.run(main())
    finally:
        trace._TRACER_PROVIDER = before
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans if span.context} == {TRACE}
    by_id = {span.context.span_id: span for span in spans if span.context}
    for method in ("SupportRun", "SupportRunStream", "SupportSession"):
        (call,) = (span for span in spans if span.name.endswith(f"/{method}"))
        runs = [one for one in spans if one.parent and by_id.get(one.parent.span_id) is call]
        assert [run.name for run in runs] == ["invoke_agent support_agent"]


async def _called(client: Client, provider: TracerProvider) -> None:
    agent = client.module.support_agent
    agent.instrument = InstrumentationSettings(tracer_provider=provider)
    try:
        for method in ("support_run", "support_run_stream", "support_session"):
            request = client.request(method, prompt="hello")
            metadata = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),)
            sent = iter([request]) if method == "support_session" else request
            call = client.call(method, sent, metadata=metadata)
            if method == "support_run":
                await call
            else:
                async for _ in call:
                    pass
    finally:
        agent.instrument = None
