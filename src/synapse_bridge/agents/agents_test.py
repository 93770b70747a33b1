"""Agents on a server, over the wire."""

from __future__ import annotations

import json

from synapse_bridge.agents.testing import Client, run


def test_a_run_gives_its_output_its_usage_and_its_messages() -> None:
    async def test(client: Client) -> None:
        result = await client.result("support_run", prompt="hello")
        assert result.output == "You said: hello"
        assert result.usage.requests == 1
        assert result.run_id
        request, response = result.new_messages
        assert request.model_request.parts[0].user_prompt_part.content.str_value == "hello"
        assert response.model_response.parts[0].text_part.content == "You said: hello"

    run(test)


def test_a_history_goes_on() -> None:
    async def test(client: Client) -> None:
        first = await client.result("support_run", prompt="hello")
        again = await client.result(
            "support_run", prompt="count", message_history=first.new_messages
        )
        assert again.output == "3 messages"

    run(test)


def test_a_history_is_stored_as_pydantic_ai_stores_it() -> None:
    async def test(client: Client) -> None:
        first = await client.result("support_run", prompt="hello")
        stored = await client.result("support_dump_messages", messages=first.new_messages)
        assert json.loads(stored)[0]["parts"][0]["part_kind"] == "user-prompt"
        loaded = await client.result("support_load_messages", stored=stored)
        assert loaded == first.new_messages

    run(test)


def test_a_typed_output_comes_whole() -> None:
    async def test(client: Client) -> None:
        *_, (kind, finished) = await client.events("weather_run_stream", prompt="Paris?")
        assert kind == "finished"
        assert finished.result.output == client.pb.Weather(city="Paris", degrees=21)

    run(test)


def test_tools_get_what_the_factory_makes_of_the_request() -> None:
    async def test(client: Client) -> None:
        result = await client.result("support_run", prompt='call [["lookup", {"order": 7}]]')
        assert result.output == "lookup: Ada has order 7 (success)"
        assert client.module.SEEN["desk"] == "closed"

    run(test)


def test_text_that_is_the_output_is_not_validated_again_with_every_piece() -> None:
    async def test(client: Client) -> None:
        told = await client.events("poet_run_stream", prompt="long")
        text = "".join(event.text for kind, event in told if kind == "text_delta")
        assert text == "a long poem"
        assert client.module.SEEN["validated"] == ("a long poem",)
        assert told[-1][1].result.output == "a long poem"

    run(test)
