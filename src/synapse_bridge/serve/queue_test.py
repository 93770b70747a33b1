"""Calls of sync functions that wait for a thread: so many, of every kind, and no more."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from synapse_bridge.serve.testing import Client, run, until

KINDS: dict[str, dict[str, Any]] = {"hold": {}, "watch": {"seconds": 0}, "count": {"up_to": 1}}
"""Sync functions that take one request: a plain one, one with a context, one that streams."""

STREAMED = ("total", "double")
"""Sync functions with a streamed argument: with one result, and with many."""


@pytest.mark.parametrize("method", [*KINDS, *STREAMED])
def test_a_call_beyond_the_queue_is_refused_at_once(method: str) -> None:
    async def test(client: Client) -> None:
        module = client.module
        module.RELEASED.clear()
        threads = client.server._threads
        running = client.call("hold", client.request("hold"))
        await until(lambda: module.SEEN["held"] == 1)
        waiting = client.call("hold", client.request("hold"))
        await until(lambda: threads._pending == 2)
        # It would end by its deadline of 20 s, if it were to wait.
        if method in KINDS:
            call = client.call(method, client.request(method, **KINDS[method]))
        else:
            call = client.call(method, None)
            # It has another argument, which comes with the first message. The other function begins
            # without one.
            if method == "total":
                await call.write(client.request(method, numbers=1))
        assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call.details() == (
            "All 1 threads (max_workers) are busy and 1 calls (max_queue) wait for them"
        )
        # Async functions need no thread.
        assert await client.results("count_async", client.request("count_async", up_to=2)) == [0, 1]
        module.RELEASED.set()
        await running
        await waiting
        assert await client.results("count", client.request("count", up_to=2)) == [0, 1]
        assert module.SEEN["held"] == 2

    run(test, max_workers=1, max_queue=1)
