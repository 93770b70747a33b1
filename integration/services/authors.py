"""Agents whose model speaks OpenAI's chat completions, where the environment says that it is."""

from pydantic import BaseModel
from pydantic_ai import Agent


class City(BaseModel):
    name: str
    inhabitants: int


# Not looked up before a run: whoever only generates needs no key.
MODEL = "openai-chat:stub"

poet_agent = Agent(MODEL, defer_model_check=True, instructions="You write verses.")

geographer_agent = Agent(MODEL, defer_model_check=True, output_type=City)


@geographer_agent.tool_plain
def count_inhabitants(city: str) -> int:
    """How many people live in a city."""
    return {"Bern": 134_000}[city]
