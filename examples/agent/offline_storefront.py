"""A model without a network: it does what a real one would do with one question, step by step."""

import asyncio
import json
from collections.abc import AsyncIterator

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

PACE = 0.02
"""Seconds between two pieces of what is streamed, about as fast as a model writes."""


def _next_calls(messages: list[ModelMessage], info: AgentInfo) -> list[tuple[str, str]]:
    """The tools that the model calls now, each with its arguments in JSON."""
    returned = _returned(messages)
    if "list_orders" not in returned:
        return [
            ("list_orders", "{}"),
            ("return_policy", json.dumps({"days_since_delivery": 12})),
        ]
    orders = json.loads(returned["list_orders"])
    order = orders[-1] if orders else None
    offered = {tool.name for tool in info.function_tools}
    if order and "stock" in offered and "stock" not in returned:
        return [("stock", json.dumps({"sku": order["sku"]}))]
    (output,) = info.output_tools
    return [(output.name, json.dumps(_resolution(order, returned.get("stock"))))]


def _returned(messages: list[ModelMessage]) -> dict[str, str]:
    """What each tool returned since the customer's question, in JSON."""
    returned: dict[str, str] = {}
    for message in messages:
        for part in message.parts if isinstance(message, ModelRequest) else ():
            if isinstance(part, UserPromptPart):
                returned = {}
            elif isinstance(part, ToolReturnPart):
                returned[part.tool_name] = part.model_response_str()
    return returned


def _resolution(order: dict[str, str] | None, stock: str | None) -> dict[str, str | None]:
    if order is None:
        reply = "I see no order of yours. Which one is it about?"
        return {"action": "none", "order": None, "reply": reply}
    if stock is not None and json.loads(stock)["count"] > 0:
        reply = f"I am sorry about your {order['item']}! A new one is on its way to you."
        return {"action": "replace", "order": order["number"], "reply": reply}
    reply = f"I am sorry about your {order['item']}! We have no other, so you get your money back."
    return {"action": "refund", "order": order["number"], "reply": reply}


def _answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse(
        parts=[ToolCallPart(name, arguments) for name, arguments in _next_calls(messages, info)]
    )


async def _stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[DeltaToolCalls]:
    for index, (name, arguments) in enumerate(_next_calls(messages, info)):
        yield {index: DeltaToolCall(name, tool_call_id=f"{name}-{len(messages)}")}
        for start in range(0, len(arguments), 8):
            await asyncio.sleep(PACE)
            yield {index: DeltaToolCall(json_args=arguments[start : start + 8])}


offline_model = FunctionModel(_answer, stream_function=_stream, model_name="offline")
