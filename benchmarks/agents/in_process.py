"""Runs the agent in its own process, without any bridge: "words" on standard input, "seconds" on
standard output."""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop
from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from talk import writer_agent


async def _run(words: int) -> float:
    start = time.perf_counter()
    pieces = 0
    async with writer_agent.run_stream_events(f"{words} 0") as events:
        async for event in events:
            match event:
                case PartStartEvent(part=TextPart()) | PartDeltaEvent(delta=TextPartDelta()):
                    pieces += 1
    if pieces != words:
        raise RuntimeError(f"{pieces} pieces came of {words}")
    return time.perf_counter() - start


def main() -> None:
    """Answer until the input ends, on the event loop that generated servers have."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            print(runner.run(_run(int(line))), flush=True)


if __name__ == "__main__":
    main()
