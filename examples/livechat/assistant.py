"""An agent to talk to."""

import asyncio
import os
from collections.abc import AsyncIterator

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


async def _write(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str]:
    """Words, about as fast as a model writes them."""
    last = messages[-1]
    asked = last.parts[-1] if isinstance(last, ModelRequest) else None
    prompt = asked.content if isinstance(asked, UserPromptPart) else ""
    answer = (
        f"You said: {prompt}\nThere is no model behind me that could say more, but what I say "
        "comes to you word by word, as it would from one."
    )
    for word in answer.split(" "):
        yield f"{word} "
        await asyncio.sleep(0.05)


# With a key of OpenAI the agent asks a real model, else it writes what stands above.
chat_agent = Agent(
    os.environ.get("LIVECHAT_MODEL", "openai:gpt-5-mini")
    if "OPENAI_API_KEY" in os.environ
    else FunctionModel(stream_function=_write, model_name="offline"),
    description="Talks.",
    instructions="Answer in a few sentences of plain text.",
)
