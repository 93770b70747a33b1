"""The MCP server of a service: its tools, and how they are called.

A tool call is a call like one over gRPC, with JSON in the place of protobuf's bytes: it passes the
same gate (credentials, permissions, limits, deadlines, access log, traces), the same endpoint (a
sync function in a thread, streams, the call's context), and fails with the same statuses. That goes
for functions of all kinds but those whose arguments and results are both streams.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
import mcp_types as types  # pants: no-infer-dep
from mcp import MCPError  # pants: no-infer-dep
from mcp.server.lowlevel import Server  # pants: no-infer-dep

from synapse_bridge import __version__
from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.schema import contract_hash
from synapse_bridge.mcp.answers import Answers, text, violated
from synapse_bridge.mcp.codec import JSONCodec
from synapse_bridge.mcp.context import CallDetails, Context, Metadata
from synapse_bridge.mcp.scalars import Unfit
from synapse_bridge.mcp.schemas import RESULT, is_object
from synapse_bridge.mcp.tools import Tool
from synapse_bridge.serve import auth
from synapse_bridge.serve.endpoint import Endpoint
from synapse_bridge.serve.failure import Failures
from synapse_bridge.serve.gate import Gate, Handlers, Limits, kinds
from synapse_bridge.serve.http2 import peer
from synapse_bridge.serve.observe import observers
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.rules import Rules
from synapse_bridge.serve.service import Service
from synapse_bridge.serve.threads import Threads

_TRACE = ("traceparent", "tracestate", "baggage")
"""What ``_meta`` may say of the caller's trace, as a header of HTTP would."""


class ToolServer:
    """The tools of a service. Belongs to the event loop that runs when it is made.

    Raises :class:`~synapse_bridge.serve.CannotServe` for options that cannot be followed.
    """

    def __init__(
        self, contract: Contract, service: Service, tools: Sequence[Tool], options: Options
    ) -> None:
        self.access = auth.build(options)
        self._tools = {tool.name: tool for tool in tools}
        self._service = service
        self._contract = contract
        self._max_message = options.max_message
        self._threads = Threads(options.max_workers, options.max_queue)
        self._answers = Answers(contract, service.file)
        self._gate = self._gate_of(options)
        self.mcp = Server(
            contract.service.module,
            version=contract_hash(contract),
            description=f"{contract.service.full_name}, by synapse_bridge {__version__}",
            instructions=contract.service.doc or None,
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    def close(self) -> None:
        """Let idle threads end, and busy ones when they are done."""
        self._threads.close()

    def _gate_of(self, options: Options) -> Gate:
        service = self._service
        failures = Failures(service.name, service.contract, options.debug)
        methods = {method.name: method for method in service.methods}
        handlers = {}
        for tool in self._tools.values():
            method = methods[tool.method.proto]
            codec = JSONCodec(method, self._contract, tool.method)
            endpoint = Endpoint(method, failures, self._threads, codec)
            handlers[method.name] = endpoint.handler()
        paths = frozenset(self._path(tool) for tool in self._tools.values())
        found: Handlers = grpc.method_handlers_generic_handler(service.name, handlers)
        return Gate(
            [found],
            paths,
            Rules(service, options).rule,
            Limits(options.max_calls, options.max_peer_calls),
            access=self.access,
            observers=observers(options, paths),
            max_deadline=options.max_deadline,
        )

    def _path(self, tool: Tool) -> str:
        return f"/{self._service.name}/{tool.method.proto}"

    # What the SDK asks for

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._tools.get(name)
        return tool.input if tool else None

    async def _list(self, context: Any, params: Any) -> Any:
        return types.ListToolsResult(tools=[_listed(tool) for tool in self._tools.values()])

    async def _call(self, context: Any, params: Any) -> Any:
        tool = self._tools.get(params.name)
        if tool is None:
            told = f"There is no tool {params.name!r}; there are {', '.join(self._tools)}"
            raise MCPError(types.INVALID_PARAMS, told)
        streams = tool.method.streams_result
        written: list[bytes] = []
        size = 0

        async def write(response: bytes) -> None:
            nonlocal size
            size += len(response)
            if size > self._max_message:
                told = f"The result is larger than {self._max_message} bytes (max_message)"
                await call.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, told)
            written.append(response)
            if streams:
                await context.session.report_progress(len(written), message=response.decode())

        try:
            requests = _requests(tool, params.arguments or {})
        except Unfit as error:
            return _failed(violated(str(tool.method.stream), error))
        call = Context(requests, write, _metadata(context), _peer(context))
        await self._answer(self._path(tool), call)
        status = call.status()
        if status is not None:
            return _failed(self._answers.error(status))
        if streams:
            return _succeeded(tool, f"[{', '.join(one.decode() for one in written)}]")
        return _succeeded(tool, written[0].decode())

    async def _answer(self, path: str, call: Context) -> None:
        handler: Any = self._gate.service(CallDetails(path, call.invocation_metadata()))
        request = None if handler.request_streaming else await call.read()
        try:
            response = await kinds.respond_of(handler)(request, call)
            if not handler.response_streaming:
                await call.write(response)
        except grpc.aio.AbortError:
            return  # and the context knows why


def _requests(tool: Tool, arguments: dict[str, Any]) -> list[bytes]:
    """The requests of a call: one for the arguments, and one for each item of a stream.

    Raises :class:`Unfit` for what is no stream at all.
    """
    stream = tool.method.stream
    items: Any = []
    if stream is not None:
        if stream not in arguments:
            raise Unfit("Field required", "missing")
        arguments = dict(arguments)
        items = arguments.pop(stream)
        if not isinstance(items, list):
            raise Unfit("Input should be an array", "list_type")
    return [_json(arguments), *(_json({stream: item}) for item in items)]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _listed(tool: Tool) -> Any:
    hints = types.ToolAnnotations(idempotent_hint=True) if tool.method.idempotent else None
    return types.Tool(
        name=tool.name,
        description=tool.description or None,
        input_schema=tool.input,
        output_schema=tool.output,
        annotations=hints,
    )


def _succeeded(tool: Tool, written: str) -> Any:
    """A result, also in words: a text as it is, everything else in JSON."""
    value = json.loads(written)
    if tool.output is None:
        return types.CallToolResult(content=[])
    shown = value if isinstance(value, str) else written
    structured = value if is_object(tool.method) else {RESULT: value}
    return types.CallToolResult(
        content=[types.TextContent(text=shown)], structured_content=structured
    )


def _failed(error: dict[str, Any]) -> Any:
    return types.CallToolResult(
        content=[types.TextContent(text=text(error))],
        structured_content={"error": error},
        is_error=True,
    )


def _metadata(context: Any) -> Metadata:
    """The headers of the request that brought the call, and what it says of its trace."""
    headers = context.request.headers.items() if context.request is not None else ()
    told = {str(key).lower(): value for key, value in headers}
    meta = context.meta or {}
    told |= {key: meta[key] for key in _TRACE if isinstance(meta.get(key), str)}
    return tuple(told.items())


def _peer(context: Any) -> str:
    return "stdio" if context.request is None else peer.named(context.request.client)
