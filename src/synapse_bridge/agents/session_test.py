"""Runs whose callers bring tools along and are asked for approvals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio
import pytest

from synapse_bridge.agents.testing import Client, failure_of, run, told
from synapse_bridge.serve.testing import Failure, until

Answers = Callable[[str, Any], list[dict[str, Any]]]
"""What a caller answers to an event."""

TOOLS = [
    {
        "name": name,
        "description": f"The caller's {name}",
        "parameters": {"type": {"string_value": "object"}},
    }
    for name in ("stock", "price")
]


class _Talk:
    """A session: requests go out as answers are made."""

    def __init__(self, client: Client, prompt: str, tools: Any = None, **fields: Any) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        given = TOOLS if tools is None else tools
        first = client.request("support_session", prompt=prompt, tools=given, **fields)
        self._queue.put_nowait(first)
        self._client = client
        self.call = client.call("support_session", self._requests())

    async def _requests(self) -> AsyncIterator[Any]:
        while (request := await self._queue.get()) is not None:
            yield request

    def answer(self, **answer: Any) -> None:
        """Send an answer: ``tool_result={…}``."""
        self._queue.put_nowait(self._client.pb.SupportSessionRequest(answers=answer))

    def end(self) -> None:
        """Send no more."""
        self._queue.put_nowait(None)


async def _talk(talk: _Talk, answers: Answers) -> list[tuple[str, Any]]:
    found = []
    async for response in talk.call:
        kind, event = told(response)
        found.append((kind, event))
        for answer in answers(kind, event):
            talk.answer(**answer)
    return found


def _result(event: Any, content: Any = None) -> dict[str, Any]:
    value = {"string_value": content or f"answer to {event.tool_name}"}
    return {"tool_result": {"tool_call_id": event.tool_call_id, "content": value}}


def test_the_callers_tools_are_called_all_of_a_step_at_once() -> None:
    async def test(client: Client) -> None:
        open_: list[Any] = []

        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            if kind != "tool_request":
                return []
            open_.append(event)
            return [_result(one) for one in reversed(open_)] if len(open_) == 2 else []

        talk = _Talk(client, 'call [["stock", {"item": "tea"}], ["price", {}]]')
        events = await _talk(talk, answers)
        assert client.module.SEEN["tools"] == [
            "lookup",
            "refund",
            "photo",
            "crash",
            "stock",
            "price",
        ]
        asked = [event for kind, event in events if kind == "tool_request"]
        assert asked[0].args.dict_value.entries["item"].string_value == "tea"
        assert events[-1][1].result.output == (
            "stock: answer to stock (success), price: answer to price (success) "
        )

    run(test)


def test_failures_and_retries_are_told_to_the_model() -> None:
    async def test(client: Client) -> None:
        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            if kind != "tool_request":
                return []
            about = {"tool_call_id": event.tool_call_id, "message": "no such item"}
            return [
                {"tool_failure": about} if event.tool_name == "stock" else {"tool_retry": about}
            ]

        prompt = 'call [["stock", {}], ["price", {}]]'
        failed = await _talk(_Talk(client, 'call [["stock", {}]]'), answers)
        assert failed[-1][1].result.output == "stock: no such item (failed) "
        talk = _Talk(client, prompt.replace('["stock", {}], ', ""))
        asked = 0

        def second(kind: str, event: Any) -> list[dict[str, Any]]:
            nonlocal asked
            if kind != "tool_request":
                return []
            asked += 1
            return answers(kind, event) if asked == 1 else [_result(event, "9")]

        events = await _talk(talk, second)
        assert [e.message for k, e in events if k == "retry_prompt"] == ["no such item"]
        assert events[-1][1].result.output == "price: 9 (success) "

    run(test)


def test_a_tool_may_ask_for_as_many_retries_as_the_agent_allows() -> None:
    async def test(client: Client) -> None:
        asked: list[str] = []

        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            if kind != "tool_request":
                return []
            asked.append(event.tool_name)
            if event.tool_name == "price":  # it counts for each tool alone
                return [_result(event, "9")]
            return [{"tool_retry": {"tool_call_id": event.tool_call_id, "message": "once more"}}]

        talk = _Talk(client, 'call [["stock", {}], ["price", {}]]')
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _talk(talk, answers)
        error = Failure(raised.value, []).detail(client.pb.ToolRetriesExceeded())
        assert (error.tool_name, error.max_retries) == ("stock", 2)
        assert asked.count("stock") == 3
        assert client.module.SEEN["desk"] == "closed"

    run(test)


def test_a_result_ends_the_count_of_retries() -> None:
    async def test(client: Client) -> None:
        count = 0

        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            nonlocal count
            if kind != "tool_request":
                return []
            count += 1
            if count % 3 == 0:  # after as many retries as there may be
                return [_result(event, "9")]
            return [{"tool_retry": {"tool_call_id": event.tool_call_id, "message": "once more"}}]

        events = await _talk(_Talk(client, "thrice"), answers)
        assert events[-1][0] == "finished"
        assert count == 9

    run(test)


def test_arguments_that_are_no_json_are_the_models_to_mend() -> None:
    async def test(client: Client) -> None:
        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            return [_result(event, "9")] if kind == "tool_request" else []

        events = await _talk(_Talk(client, 'call [["stock", "{\\"item"]]'), answers)
        kinds = [kind for kind, _ in events]
        assert kinds.index("retry_prompt") < kinds.index("tool_request")
        assert events[-1][1].result.output == "stock: 9 (success) "

    run(test)


def test_approvals_decide_over_the_agents_own_tools() -> None:
    async def test(client: Client) -> None:
        def answers(kind: str, event: Any) -> list[dict[str, Any]]:
            if kind != "approval_request":
                return []
            order = event.args.dict_value.entries["order"].int64_value
            name = event.tool_call_id
            match order:
                case 1:
                    return [{"approval": {"tool_call_id": name}}]
                case 2:
                    instead = {"entries": {"order": {"int64_value": 9}}}
                    return [{"approval": {"tool_call_id": name, "override_args": instead}}]
                case _:
                    return [{"denial": {"tool_call_id": name, "message": "too much"}}]

        calls = ", ".join(f'["refund", {{"order": {n}}}]' for n in (1, 2, 3))
        events = await _talk(_Talk(client, f"call [{calls}]"), answers)
        assert events[-1][1].result.output == (
            "refund: refunded 1 (success), refund: refunded 9 (success), refund: too much (denied) "
        )

    run(test)


def test_answers_that_end_while_calls_wait_end_the_run() -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, 'call [["stock", {}], ["refund", {"order": 1}]]')
        talk.end()
        failure = await failure_of(talk.call)
        error = failure.detail(client.pb.AnswersEnded())
        assert list(error.tool_call_ids) == ["call-0", "call-1"]

    run(test)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (
            {"tool_result": {"tool_call_id": "other", "content": {"null_value": True}}},
            "no such call",
        ),
        ({"approval": {"tool_call_id": "call-0"}}, "it wants a result, a retry or a failure"),
        ({"denial": {"tool_call_id": "call-0", "message": "no"}}, "it wants a result"),
    ],
)
def test_an_answer_that_nobody_asked_for_ends_the_run(answer: dict[str, Any], detail: str) -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, 'call [["stock", {}]]')
        async for response in talk.call:
            if told(response)[0] == "tool_request":
                talk.answer(**answer)
                break
        failure = await failure_of(talk.call)
        error = failure.detail(client.pb.UnexpectedAnswer())
        assert detail in error.detail

    run(test)


def test_a_result_that_is_no_json_ends_the_run() -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, 'call [["stock", {}]]')
        async for response in talk.call:
            if told(response)[0] == "tool_request":
                content = {"list_value": {"items": [{"bytes_value": b"\x00"}]}}
                talk.answer(tool_result={"tool_call_id": "call-0", "content": content})
                break
        failure = await failure_of(talk.call)
        assert failure.code.name == "INVALID_ARGUMENT"
        assert failure.text.startswith("answers[0].content")

    run(test)


def test_an_answer_that_is_none_ends_the_run() -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, 'call [["stock", {}]]')
        async for response in talk.call:
            if told(response)[0] == "tool_request":
                talk.answer()
                break
        failure = await failure_of(talk.call)
        assert failure.code.name == "INVALID_ARGUMENT"
        assert failure.text.startswith("answers[0]")

    run(test)


def test_tools_that_do_not_fit_are_refused() -> None:
    async def test(client: Client) -> None:
        plain = TOOLS[0]
        wrong = {"type": {"string_value": "object"}, "required": {"bool_value": True}}
        for tools, detail in (
            ([plain, plain], "there are several tools stock"),
            ([plain | {"name": ""}], "a tool has no name"),
            ([plain | {"parameters": {}}], "no JSON Schema of type `object`"),
            (
                [plain | {"parameters": wrong}],
                "are no JSON Schema: ",
            ),
            ([plain | {"name": "lookup"}], "lookup"),
        ):
            failure = await failure_of(_Talk(client, "hello", tools).call)
            assert detail in failure.detail(client.pb.InvalidTools()).detail
            assert failure.code.name == "INVALID_ARGUMENT"

    run(test)


def test_a_client_that_goes_in_the_middle_of_a_tool_call_ends_the_run() -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, 'call [["stock", {}]]')
        async for response in talk.call:
            if told(response)[0] == "tool_request":
                break
        talk.call.cancel()
        await until(lambda: client.module.SEEN["desk"] == "closed")

    run(test)


def test_a_session_whose_answers_end_early_needs_none() -> None:
    async def test(client: Client) -> None:
        talk = _Talk(client, "hello", [])
        talk.end()
        events = await _talk(talk, lambda kind, event: [])
        assert events[-1][0] == "finished"

    run(test)
