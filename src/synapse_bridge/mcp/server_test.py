"""Tools as clients get them: the SDK's own client, over both transports and of both eras."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from synapse_bridge.mcp.conftest import TESTDATA, in_loop, over_http, over_stdio, said

ERAS = ("auto", "legacy")
AGENTS = Path(__file__).parents[1] / "generate" / "testdata" / "golden" / "agents"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a server answers over HTTP."""
    with over_http() as address:
        yield address


@asynccontextmanager
async def _connected(transport: str, mode: str, address: str) -> AsyncIterator[Client]:
    if transport == "stdio":
        async with over_stdio(mode=mode) as (client, _):
            yield client
    else:
        async with Client(address, mode=mode) as client:
            yield client


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("transport", ["stdio", "http"])
@in_loop
async def test_functions_are_tools(transport: str, mode: str, address: str) -> None:
    async with _connected(transport, mode, address) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert not {"login", "echo"} & tools.keys()
        assert tools["price"].description == "Prices an order.\n\nReturns: The first line."
        rate = tools["price"].input_schema["properties"]["rate"]
        assert rate["description"] == "Exchange rate."
        hints = tools["greet"].annotations
        assert hints is not None
        assert hints.idempotent_hint

        line = {"sku": "abc", "due": "2024-05-01T12:30:00+02:00", "label": "/w=="}
        priced = await client.call_tool("price", {"lines": [line]})
        assert priced.structured_content == {
            "sku": "abc",
            "quantity": 1,
            "due": "2024-05-01T10:30:00Z",
            "label": "/w==",
        }
        assert not priced.is_error
        greeted = await client.call_tool("greet", {"name": "Ann"})
        assert _text(greeted) == "Hello Ann"
        assert greeted.structured_content == {"result": "Hello Ann"}
        forgotten = await client.call_tool("forget", {"sku": "abc"})
        assert (forgotten.content, forgotten.is_error) == ([], False)
        assert "synapse" in _text(await client.call_tool("thread", {}))


@in_loop
async def test_json_is_exact_in_both_directions(address: str) -> None:
    value = {
        "big": 2**64 + 1,
        "number": 0.1,
        "nothing": None,
        "nested": [{"a": None, "b": 2**53 + 1}],
    }
    for mode in ERAS:
        async with Client(address, mode=mode) as client:
            same = await client.call_tool("same", {"value": value})
            assert same.structured_content == value


@in_loop
async def test_failures_say_what_to_mend() -> None:
    async with over_stdio() as (client, log):
        wrong = await client.call_tool("price", {"lines": [{"sku": "a", "quantity": 0}]})
        assert wrong.is_error
        assert _error(wrong)["code"] == "INVALID_ARGUMENT"
        assert [one["path"] for one in _error(wrong)["violations"]] == [
            "lines[0].sku",
            "lines[0].quantity",
        ]
        assert "- lines[0].quantity: Input should be greater than or equal to 1" in _text(wrong)
        too_many = await client.call_tool("thread", {"who": 1})
        assert _error(too_many)["violations"] == [
            {"path": "who", "rule": "extra_forbidden", "message": "Extra inputs are not permitted"}
        ]
        missing = await client.call_tool("price", {})
        assert _error(missing)["violations"][0]["rule"] == "missing"

        declared = await client.call_tool("order", {"sku": "abc"})
        assert _error(declared) == {
            "code": "FAILED_PRECONDITION",
            "message": "abc is out of stock",
            "exception": "tooling.OutOfStock",
            "fields": {"sku": "abc", "until": "2024-05-01"},
        }
        accident = await client.call_tool("crash", {})
        assert "accident" not in str(accident)
        assert _error(accident)["correlation_id"] in log.read_text()
        assert "the text of an accident" in log.read_text()
        infinite = await client.call_tool("infinite", {})
        assert _error(infinite)["code"] == "INTERNAL"
        assert "result: JSON has no inf" in _text(infinite)
        with pytest.raises(MCPError, match="There is no tool 'nope'"):
            await client.call_tool("nope", {})


@pytest.mark.parametrize(("transport", "mode"), [("stdio", "auto"), ("http", "legacy")])
@in_loop
async def test_streams_are_arrays_and_progress(transport: str, mode: str, address: str) -> None:
    async with _connected(transport, mode, address) as client:
        seen: list[tuple[float, str | None]] = []

        async def noted(progress: float, total: float | None, message: str | None) -> None:
            assert total is None
            seen.append((progress, message))

        counted = await client.call_tool("count", {"up_to": 3}, progress_callback=noted)
        assert counted.structured_content == {"result": [0, 1, 2]}
        assert seen == [(1, "0"), (2, "1"), (3, "2")]
        broken = await client.call_tool("count", {"up_to": 7})
        assert _error(broken)["exception"] == "builtins.ValueError"

        added = await client.call_tool("total", {"numbers": [1, 2, 3], "times": 2})
        assert added.structured_content == {"result": 12}
        wrong = await client.call_tool("total", {"numbers": [1, "two"]})
        assert _error(wrong)["violations"][0]["path"] == "numbers[1]"
        for arguments, rule in (({}, "missing"), ({"numbers": 1}, "list_type")):
            none = await client.call_tool("total", arguments)
            assert _error(none)["violations"][0]["rule"] == rule


@in_loop
async def test_a_cancelled_call_ends_its_function() -> None:
    async with over_stdio() as (client, _):

        async def noted(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        begun = asyncio.Event()
        waiting = asyncio.create_task(client.call_tool("wait", {}, progress_callback=noted))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        found = await client.call_tool("cancelled", {})
        while found.structured_content != {"result": ["wait"]}:
            found = await client.call_tool("cancelled", {})


@in_loop
async def test_an_agent_is_a_few_tools() -> None:
    chosen = ("--agent", "my_agents:support_agent", "--deps-factory", "my_agents:make_desk")
    async with over_stdio(*chosen, module=None, cwd=AGENTS) as (client, _):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {
            "support_run",
            "support_run_stream",
            "support_dump_messages",
            "support_load_messages",
        }
        asked = {"prompt": "Where is order 7?", "deps": {"id": 1, "name": "Ann"}}
        answer = (await client.call_tool("support_run", asked)).structured_content
        assert answer["output"] == {"text": "a", "mood": "calm", "escalate": False}
        history = answer["new_messages"]
        kinds = [part["kind"] for message in history for part in message["parts"]]
        assert kinds[:3] == ["user_prompt_part", "tool_call_part", "tool_return_part"]

        again = await client.call_tool("support_run", {**asked, "message_history": history})
        assert not again.is_error
        stored = _text(await client.call_tool("support_dump_messages", {"messages": history}))
        loaded = await client.call_tool("support_load_messages", {"stored": stored})
        assert loaded.structured_content == {"result": history}

        events: list[dict[str, Any]] = []

        async def noted(progress: float, total: float | None, message: str | None) -> None:
            events.append(json.loads(message or ""))

        streamed = await client.call_tool("support_run_stream", asked, progress_callback=noted)
        assert streamed.structured_content == {"result": events}
        assert [event["kind"] for event in events] == [
            "tool_call",
            "tool_return",
            "partial_output",
            "finished",
        ]
        nobody = await client.call_tool("support_run", {"prompt": "?", "deps": {"id": 1}})
        assert [one["path"] for one in _error(nobody)["violations"]] == ["deps.name"]


@in_loop
async def test_results_are_bounded() -> None:
    async with over_stdio("--max-message", "40") as (client, _):
        counted = await client.call_tool("count", {"up_to": 1000})
        assert _error(counted)["code"] == "RESOURCE_EXHAUSTED"
        assert "larger than 40 bytes (max_message)" in _text(counted)


@in_loop
async def test_what_is_printed_does_not_get_between_the_messages() -> None:
    async with over_stdio() as (client, log):
        await client.call_tool("greet", {"name": "Ann"})
        await client.call_tool("shout", {})
        assert _text(await client.call_tool("greet", {"name": "Bob"})) == "Hello Bob"
        printed = log.read_text()
    for what in ("printed while it is imported", "printed by a function", "written by a function"):
        assert what in printed


@in_loop
async def test_callers_over_http_are_authenticated(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("ann:aaaaaaaaaaaaaaaaaaaaaaaa\nbob:bbbbbbbbbbbbbbbbbbbbbbbb\n")
    tokens.chmod(0o600)
    config = tmp_path / "synapse.yaml"
    config.write_text(
        "modules: {tooling: {methods: {greet: {allow: [ann]}}}}\n"
        f"serve: {{token_file: {tokens}, port: 1, client_ca: null}}\n"
    )
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    encrypted = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with over_http("--config", str(config), *encrypted) as address:
        assert address.startswith("https://")
        for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic ann"}):
            request = urllib.request.Request(address, data=b"{}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10, context=trust)
            assert refused.value.code == 401
            assert refused.value.headers["www-authenticate"] == "Bearer"
        for mode in ERAS:
            async with _as("a", address, mode, trust) as client:
                assert _text(await client.call_tool("greet", {"name": "you"})) == "Hello you, ann"
            async with _as("b", address, mode, trust) as client:
                denied = await client.call_tool("greet", {"name": "you"})
                assert _error(denied)["code"] == "PERMISSION_DENIED"
                assert not (await client.call_tool("thread", {})).is_error


@asynccontextmanager
async def _as(letter: str, address: str, mode: str, trust: ssl.SSLContext) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {letter * 24}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30, verify=trust) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        yield client


def test_pages_of_other_hosts_get_nothing(address: str) -> None:
    for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        headers = {"Content-Type": "application/json", **header}
        request = urllib.request.Request(address, data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code in (403, 421)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--module", "tooling", "--function", "login"), "login cannot be a tool: it gives away"),
        (("--module", "tooling", "--function", "echo"), "are both streams"),
        (("--module", "nowhere"), "nowhere"),
        (("--module", "tooling", "--token-file", "x"), "unrecognized arguments: --token-file"),
        (
            ("--module", "tooling", "--transport", "http", "--token-file", "nowhere"),
            "--token-file: nowhere cannot be read",
        ),
        (
            ("--module", "tooling", "--transport", "http", "--tls-cert", "x", "--tls-key", "y"),
            "--tls-cert, --tls-key: they cannot be used",
        ),
        (
            ("--module", "tooling", "--transport", "http", "--host", "192.0.2.1"),
            "--host and --listen take a name or an address of this machine",
        ),
    ],
)
def test_what_cannot_be_served_is_said(options: tuple[str, ...], told: str) -> None:
    code, text = said(*options)
    assert code == 2
    assert told in text
    assert "Traceback" not in text


def test_certificates_of_clients_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "synapse.yaml"
    config.write_text("serve: {client_ca: ca.pem, tls_cert: a.pem, tls_key: b.pem}\n")
    code, text = said(
        "--module", "tooling", "--transport", "http", "--config", str(config), cwd=TESTDATA
    )
    assert code == 2
    assert "`serve.client_ca` cannot be followed" in text


def _text(result: Any) -> str:
    (content,) = result.content
    text: str = content.text
    return text


def _error(result: Any) -> dict[str, Any]:
    assert result.is_error
    error: dict[str, Any] = result.structured_content["error"]
    return error
