"""The pool of threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from synapse_bridge.serve.threads import Threads

NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, timeout=20))


def test_calls_run_in_other_threads_and_return_in_order_of_their_futures() -> None:
    async def main() -> None:
        threads = Threads(3)
        here = threading.get_ident()
        answers = await asyncio.gather(
            *(threads.run(lambda n: (n, threading.get_ident()), n) for n in range(500))
        )
        assert [number for number, _ in answers] == list(range(500))
        assert here not in {thread for _, thread in answers}
        threads.close()

    run(main())


def test_no_more_threads_than_the_limit_run_at_once() -> None:
    async def main() -> None:
        threads, running, most, lock = Threads(3), 0, 0, threading.Lock()

        def work(_: int) -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1

        await asyncio.gather(*(threads.run(work, n) for n in range(30)))
        assert most == 3
        threads.close()

    run(main())


def test_a_single_call_at_a_time_needs_a_single_thread() -> None:
    async def main() -> None:
        threads = Threads(8)
        seen = {await threads.run(lambda _: threading.get_ident(), None) for _ in range(20)}
        assert len(seen) == 1
        threads.close()

    run(main())


def test_a_call_sees_a_copy_of_its_callers_context() -> None:
    async def main() -> None:
        threads = Threads(1)
        NAME.set("caller")

        def work(_: None) -> str:
            seen = NAME.get()
            NAME.set("callee")
            return seen

        assert await threads.run(work, None) == "caller"
        assert await threads.run(work, None) == "caller"
        assert NAME.get() == "caller"
        threads.close()

    run(main())


def test_a_call_that_is_cancelled_before_its_turn_is_never_made() -> None:
    async def main() -> None:
        threads, made, gate = Threads(1), list[str](), threading.Event()

        def wait(name: str) -> None:
            gate.wait(10)
            made.append(name)

        first = threads.run(wait, "first")
        second = threads.run(made.append, "second")
        third = threads.run(made.append, "third")
        second.cancel()
        gate.set()
        await asyncio.gather(first, third)
        assert made == ["first", "third"]
        threads.close()

    run(main())


def test_the_result_of_a_call_that_was_cancelled_while_running_is_dropped() -> None:
    async def main() -> None:
        threads, begun, gate = Threads(1), threading.Event(), threading.Event()

        def wait(_: None) -> None:
            begun.set()
            gate.wait(10)

        running = threads.run(wait, None)
        await asyncio.to_thread(begun.wait, 10)
        running.cancel()
        gate.set()
        assert await threads.run(lambda _: "next", None) == "next"
        threads.close()

    run(main())


def test_threads_end_when_the_pool_is_closed() -> None:
    async def main() -> None:
        threads = Threads(2)
        thread = await threads.run(lambda _: threading.current_thread(), None)
        threads.close()
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()

    run(main())


def test_a_pool_without_threads_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="at least one thread"):
            Threads(0)

    run(main())
