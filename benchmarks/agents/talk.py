"""An agent that says as many words as it is asked for: what is measured is all around the model."""

import asyncio
from collections.abc import AsyncIterator

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


async def _talk(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str]:
    """The prompt says how many words, and the milliseconds between two of them."""
    (request,) = messages
    assert isinstance(request, ModelRequest)
    (words, pause) = next(
        str(part.content).split() for part in request.parts if isinstance(part, UserPromptPart)
    )
    for _word in range(int(words)):
        yield "word "
        await asyncio.sleep(float(pause) / 1000)


writer_agent = Agent(FunctionModel(stream_function=_talk, model_name="writer"))
