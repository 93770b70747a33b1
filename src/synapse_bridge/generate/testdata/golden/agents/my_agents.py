"""Agents that answer customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from pydantic_ai import Agent, RunContext
from pydantic_ai.models.test import TestModel


class Customer(BaseModel):
    """Who asks."""

    id: int
    name: str


@dataclass
class Desk:
    """What the tools of `support_agent` depend on."""

    customer: Customer
    orders: dict[int, str]


class Reply(BaseModel):
    """The answer to a customer."""

    text: str
    mood: Literal["calm", "angry"]
    escalate: bool = False


def make_desk(customer: Customer) -> Desk:
    return Desk(customer, {7: "two teapots"})


support_agent = Agent(
    TestModel(call_tools=["lookup_order"]),
    output_type=Reply,
    deps_type=Desk,
    description="Answers the questions of customers.",
    instructions="Be kind.",
)


@support_agent.tool
def lookup_order(context: RunContext[Desk], order_id: int) -> str:
    """Look an order up.

    Args:
        order_id: The number that the customer has.
    """
    return context.deps.orders.get(order_id, "nothing")


@support_agent.tool_plain(requires_approval=True)
def refund(order_id: int, cents: int) -> str:
    """Give money back."""
    return f"{cents} for {order_id}"


greeter = Agent(TestModel(), instructions="Greet.")


def ping(text: str) -> str:
    """An ordinary function beside them."""
    return text
