"""An agent that answers the customers of a shop: typed data in, a typed result out, two tools."""

import os
from typing import Literal

from offline_storefront import offline_model
from pydantic import BaseModel
from pydantic_ai import Agent, RunContext


class Order(BaseModel):
    number: str
    item: str
    sku: str
    days_since_delivery: int


class Customer(BaseModel):
    """Who asks. Elixir sends it with each run: `deps: %{name: …, orders: […]}`."""

    name: str
    orders: list[Order]


class Resolution(BaseModel):
    """What comes of a question. The reply stands last, so that all else is there while it grows."""

    action: Literal["none", "replace", "refund"]
    order: str | None
    """The number of the order that it is about."""

    reply: str
    """What the customer is told."""


# With a key of OpenAI the agent asks a real model, else a script: the same agent, and no network.
MODEL = os.environ.get("STOREFRONT_MODEL", "openai:gpt-5-mini")

support_agent = Agent(
    MODEL if "OPENAI_API_KEY" in os.environ or "STOREFRONT_MODEL" in os.environ else offline_model,
    description="Answers the customers of a shop.",
    deps_type=Customer,
    output_type=Resolution,
    instructions=(
        "You answer a customer of a shop. Look at the orders and at the policy before you promise "
        "anything, and replace only what is in stock."
    ),
)


@support_agent.tool
def list_orders(context: RunContext[Customer]) -> list[Order]:
    """The orders of the customer who asks."""
    return context.deps.orders


@support_agent.tool_plain
def return_policy(days_since_delivery: int) -> str:
    """What a customer may ask for, so many days after delivery."""
    if days_since_delivery <= 30:
        return "A replacement if there is one in stock, else the money back."
    return "Nothing, but be kind about it."
