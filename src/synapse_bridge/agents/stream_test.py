"""What runs tell while they are under way."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import ANY

import pytest

from synapse_bridge.agents.testing import Client, run
from synapse_bridge.serve.testing import until


def test_text_comes_piece_by_piece_and_the_result_last() -> None:
    async def test(client: Client) -> None:
        *pieces, (last, finished) = await client.events("support_run_stream", prompt="hello")
        assert [kind for kind, _ in pieces] == ["text_delta"] * 3
        assert "".join(piece.text for _, piece in pieces) == "You said: hello "
        assert last == "finished"
        assert finished.result.output == "You said: hello "
        assert finished.result.usage.requests == 1

    run(test)


def test_thoughts_are_told_apart_from_text() -> None:
    async def test(client: Client) -> None:
        events = await client.events("support_run_stream", prompt="think")
        assert [event.text for kind, event in events if kind == "thinking_delta"] == ["hm", "hm"]
        assert next(event.text for kind, event in events if kind == "text_delta") == "You "

    run(test)


def test_a_structured_output_grows_and_fits_its_type_all_the_time() -> None:
    async def test(client: Client) -> None:
        events = await client.events("weather_run_stream", prompt="Paris?")
        assert [kind for kind, _ in events] == ["partial_output", "finished"]
        weather = client.pb.Weather(city="Paris", degrees=21)
        assert events[0][1].output == weather
        assert events[1][1].result.output == weather

    run(test)


def test_a_long_output_is_validated_for_a_part_of_its_pieces() -> None:
    async def test(client: Client) -> None:
        for count, least, most in ((5, 5, 7), (500, 2, 250)):
            client.module.SEEN["validated"] = ()
            *partials, (last, finished) = await client.events(
                "counter_run_stream", prompt=str(count)
            )
            assert {kind for kind, _ in partials} == {"partial_output"}
            numbers = list(range(count))
            assert list(partials[-1][1].output) == numbers
            assert (last, list(finished.result.output)) == ("finished", numbers)
            validated = client.module.SEEN["validated"]
            assert least <= len(validated) <= most
            assert list(validated) == sorted(validated)

    run(test)


def test_an_output_that_does_not_validate_is_asked_for_again() -> None:
    async def test(client: Client) -> None:
        events = await client.events("weather_run_stream", prompt="wrong")
        assert [kind for kind, _ in events] == ["retry_prompt", "partial_output", "finished"]
        retry = events[0][1]
        assert retry.tool_name == "final_result"
        assert "valid integer" in retry.message

    run(test)


def test_a_text_that_a_validator_refuses_is_asked_for_again() -> None:
    async def test(client: Client) -> None:
        events = await client.events("poet_run_stream", prompt="a poem")
        kinds = [kind for kind, _ in events]
        assert kinds == [*["text_delta"] * 5, "retry_prompt", *["text_delta"] * 11, "finished"]
        retry = events[5][1]
        assert (retry.HasField("tool_name"), retry.message) == (False, "longer, please")

    run(test)


def test_tool_calls_and_what_they_return_are_told() -> None:
    async def test(client: Client) -> None:
        prompt = 'call [["lookup", {"order": 7}], ["photo", {"order": 3}]]'
        events = await client.events("support_run_stream", prompt=prompt)
        calls = [event for kind, event in events if kind == "tool_call"]
        assert [(call.tool_call_id, call.tool_name) for call in calls] == [
            ("call-0", "lookup"),
            ("call-1", "photo"),
        ]
        assert calls[0].args.dict_value.entries["order"].int64_value == 7
        returns = {event.tool_name: event for kind, event in events if kind == "tool_return"}
        assert returns["lookup"].content.any_value.string_value == "Ada has order 7"
        photo = returns["photo"].content.binary_content
        assert (photo.data, photo.media_type) == (b"\x03\xff", "image/png")
        assert returns["photo"].outcome == client.pb.TOOL_RETURN_OUTCOME_SUCCESS

    run(test)


def test_what_the_provider_runs_itself_is_told() -> None:
    async def test(client: Client) -> None:
        events = await client.events("support_run_stream", prompt="native")
        kinds = [kind for kind, _ in events]
        assert kinds == ["tool_call", "tool_return", "text_delta", "text_delta", "finished"]
        call, returned = events[0][1], events[1][1]
        assert (call.tool_call_id, call.tool_name) == ("search-1", "web_search")
        assert call.args.dict_value.entries["query"].string_value == "rain"
        assert (returned.tool_call_id, returned.tool_name) == ("search-1", "web_search")
        (page,) = returned.content.any_value.list_value.items
        assert page.object_value.entries["url"].string_value == "https://a.example"
        assert returned.outcome == client.pb.TOOL_RETURN_OUTCOME_SUCCESS
        plain = await client.result("support_run", prompt="native")
        for result in (events[-1][1].result, plain):
            parts = result.new_messages[-1].model_response.parts
            found = [part.WhichOneof("value") for part in parts]
            assert found == ["native_tool_call_part", "native_tool_return_part", "text_part"]
        again = await client.result(
            "support_run", prompt="count", message_history=plain.new_messages
        )
        assert again.output == "3 messages"
        assert client.module.SEEN["messages"][1].parts[:2] == [
            client.module.SEARCH,
            replace(client.module.FOUND, timestamp=ANY),
        ]

    run(test)


def test_a_tool_that_asks_the_model_to_try_again_is_told() -> None:
    async def test(client: Client) -> None:
        prompt = 'call [["lookup", {"order": -1}]]'
        events = await client.events("support_run_stream", prompt=prompt)
        retries = [event for kind, event in events if kind == "retry_prompt"]
        assert [(one.tool_name, one.message) for one in retries] == [
            ("lookup", "orders are not negative")
        ]
        assert events[-1][1].result.output.startswith("lookup: Ada has order 7")

    run(test)


def test_wrong_arguments_are_told_to_the_model() -> None:
    async def test(client: Client) -> None:
        prompt = 'call [["lookup", {"order": "many"}]]'
        events = await client.events("support_run_stream", prompt=prompt)
        (retry,) = (event for kind, event in events if kind == "retry_prompt")
        assert "valid integer" in retry.message
        assert events[-1][1].result.output.startswith("lookup: Ada has order 7")

    run(test)


def test_a_tool_that_there_is_not_is_called_as_often_as_the_agent_allows() -> None:
    async def test(client: Client) -> None:
        failure = await client.failure("support_run_stream", prompt='call [["nothing", {}]]')
        assert [kind for kind, _ in failure.results].count("retry_prompt") == 2
        error = failure.detail(client.pb.ToolRetriesExceeded())
        assert (error.tool_name, error.max_retries) == ("nothing", 2)

    run(test)


@pytest.mark.parametrize("method", ["support_run_stream", "support_session"])
def test_a_client_that_goes_ends_the_request_to_the_model(method: str) -> None:
    async def test(client: Client) -> None:
        request = client.request(method, prompt="forever")
        call = client.call(method, iter([request]) if method == "support_session" else request)
        async for response in call:
            assert response.result.text_delta.text == "begun"
            assert client.module.SEEN["open"]
            break
        call.cancel()
        await until(lambda: not client.module.SEEN["open"])
        await until(lambda: client.module.SEEN["desk"] == "closed")

    run(test)
