"""What callers say of a run, and how it fails."""

from __future__ import annotations

import logging

import pytest

from synapse_bridge.agents.testing import Client, failure_of, run
from synapse_bridge.serve.testing import until


def test_settings_reach_the_model() -> None:
    async def test(client: Client) -> None:
        settings = {"temperature": 0.5, "stop_sequences": {"items": ["."]}}
        await client.result("support_run", prompt="hello", model_settings=settings)
        seen = client.module.SEEN["settings"]
        assert (seen["temperature"], seen["stop_sequences"]) == (0.5, ["."])

    run(test)


def test_a_limit_that_would_be_crossed_is_told() -> None:
    async def test(client: Client) -> None:
        prompt = 'call [["lookup", {"order": 7}]]'
        limits = {"request_limit": {"value": 1}}
        failure = await client.failure("support_run", prompt=prompt, usage_limits=limits)
        assert failure.code.name == "RESOURCE_EXHAUSTED"
        error = failure.detail(client.pb.UsageLimitExceeded())
        assert error.detail == "The next request would exceed the request_limit of 1"

    run(test)


def test_another_model_is_asked_if_callers_may_choose_it() -> None:
    async def test(client: Client) -> None:
        result = await client.result("poet_run", prompt="a poem", model=client.pb.POET_MODEL_TEST)
        assert result.new_messages[-1].model_response.model_name == "test"
        failure = await client.failure("poet_run", prompt="a poem", model=77)
        assert (failure.code.name, failure.text.split(":")[0]) == ("INVALID_ARGUMENT", "model")

    run(test)


def test_deps_that_do_not_validate_are_told_with_their_path() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("support_run", prompt="hello", deps={})
        assert failure.code.name == "INVALID_ARGUMENT"
        assert failure.text == "deps.name: Field required"

    run(test)


@pytest.mark.parametrize("method", ["support_run", "support_run_stream"])
def test_a_refusal_of_the_provider_crosses_without_what_was_said(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(client: Client) -> None:
        failure = await client.failure(method, prompt="fail with my password")
        error = failure.detail(client.pb.ModelHTTPError())
        assert (error.status_code, error.model_name) == (429, "the-model")
        assert error.retry_after == 3
        assert "password" not in str(failure.error)

    run(test)
    assert not [one for one in caplog.records if "password" in one.getMessage()]
    assert "password" not in caplog.text


def test_what_the_provider_said_is_told_to_those_who_debug() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("support_run", prompt="fail with my password")
        assert b"password" in failure.trailers["grpc-status-details-bin"]

    run(test, debug=True)


@pytest.mark.parametrize("method", ["support_run", "support_run_stream"])
def test_a_tool_that_crashes_ends_the_run_and_its_text_stays_in_the_log(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(client: Client) -> None:
        failure = await client.failure(method, prompt='call [["crash", {}]]')
        assert failure.code.name == "INTERNAL"
        assert "builtins.RuntimeError" in failure.text
        assert "swordfish" not in str(failure.error)
        assert client.module.SEEN["desk"] == "closed"

    run(test)
    assert "swordfish" in caplog.text


def test_tools_that_wait_for_an_answer_have_nobody_to_ask() -> None:
    async def test(client: Client) -> None:
        for method in ("support_run", "support_run_stream"):
            failure = await client.failure(method, prompt='call [["refund", {"order": 1}]]')
            error = failure.detail(client.pb.UnansweredToolCalls())
            assert list(error.tool_names) == ["refund"]

    run(test)


def test_a_call_that_is_cancelled_or_late_ends_the_request_to_the_model() -> None:
    async def test(client: Client) -> None:
        call = client.call("support_run", client.request("support_run", prompt="wait"))
        await until(lambda: bool(client.module.SEEN.get("open")))
        call.cancel()
        await until(lambda: not client.module.SEEN["open"])
        late = client.call("support_run", client.request("support_run", prompt="wait"), timeout=0.5)
        assert (await failure_of(late)).code.name == "DEADLINE_EXCEEDED"
        await until(lambda: not client.module.SEEN["open"])
        assert client.module.SEEN["desk"] == "closed"

    run(test)


def test_a_history_of_another_schema_is_refused_with_its_path() -> None:
    async def test(client: Client) -> None:
        stored = (
            '[{"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "a"}]},'
            ' {"kind": "request", "parts": [{"part_kind": "telepathy", "content": "b"}]}]'
        )
        failure = await client.failure("support_load_messages", stored=stored)
        assert failure.code.name == "INVALID_ARGUMENT"
        assert failure.text.startswith("stored[1].request.parts[0]: ")
        for text in ("", "{}", '[{"kind": "dream"}]'):
            failure = await client.failure("support_load_messages", stored=text)
            assert failure.code.name == "INVALID_ARGUMENT"
            assert failure.text.startswith("stored")

    run(test)


def test_tools_are_called_without_a_model() -> None:
    async def test(client: Client) -> None:
        found = await client.result("support_lookup", order=7, deps={"name": "Ada"})
        assert found == "Ada has order 7"
        assert await client.result("support_refund", order=7) == "refunded 7"
        failure = await client.failure("support_lookup", order=-7, deps={"name": "Ada"})
        error = failure.detail(client.pb.ToolRefused())
        assert (error.tool_name, error.detail) == ("lookup", "orders are not negative")
        assert client.module.SEEN["desk"] == "closed"

    run(test)
