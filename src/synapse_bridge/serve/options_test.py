"""Settings come from the command line and the configuration, and wrong ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from synapse_bridge import config
from synapse_bridge.serve import cli, kind, section
from synapse_bridge.serve.conftest import code_of, refused, start, started, stub
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options

ALICE = "alice-has-a-long-token"
BOB = "bob-has-another-long-token"


def test_every_option_is_in_the_help(folder: Path) -> None:
    out, _ = start(folder, "--help").communicate(timeout=20)
    flags = [f"--{name.replace('_', '-')}" for name in section.settings()]
    assert [flag for flag in flags if f"\n  {flag}" not in out] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--port", "65536"), "--port: expected a port from 0 to 65535, not '65536'"),
        (("--max-calls", "0"), "--max-calls: expected a whole number of 1 or more, not '0'"),
        (("--max-connections", "0"), "--max-connections: expected a whole number of 1 or more"),
        (("--max-connections", "9", "--transport", "grpcio"), "--max-connections: --transport g"),
        (("--max-pending", "9", "--transport", "grpcio"), "--max-pending: --transport grpcio"),
        (("--max-arrival", "9", "--transport", "grpcio"), "--max-arrival: --transport grpcio"),
        (("--max-arrival", "0"), "--max-arrival: expected seconds, more than 0, not '0'"),
        (("--max-queue", "-1"), "--max-queue: expected a whole number of 0 or more"),
        (("--max-message", "1MB"), "--max-message: expected bytes"),
        (("--max-deadline", "0"), "--max-deadline: expected seconds, more than 0, not '0'"),
        (("--max-deadline=-1",), "--max-deadline: expected seconds, more than 0, not '-1'"),
        (("--max-deadline", "5s"), "--max-deadline: expected seconds, more than 0, not '5s'"),
        (("--grace", "nan"), "--grace: expected seconds, 0 or more, not 'nan'"),
        (("--access-log", "xml"), "--access-log: expected json or text, not 'xml'"),
        (("--jwt-algorithms", "RS256,"), "--jwt-algorithms: expected names with commas"),
        (("--port-file", "/no/such/folder/port"), "--port-file: /no/such/folder/port cannot be"),
        (("--port-file", "/no/such/port", "--workers", "2"), "--port-file: /no/such/port cannot"),
        (("--host", ""), "--host: expected a text that is not empty"),
        (("--max-call", "1"), "unrecognized arguments: --max-call 1"),
    ],
)
def test_a_wrong_option_is_told_by_its_name(
    folder: Path, options: tuple[str, ...], told: str
) -> None:
    assert told in refused(folder, *options)


@pytest.mark.parametrize("name", section.settings())
def test_each_option_refuses_what_it_cannot_be(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flag, is_switch = f"--{name.replace('_', '-')}", section.settings()[name].kind is kind.SWITCH
    with pytest.raises(SystemExit) as ended:
        cli.said([f"{flag}={'yes' if is_switch else ''}"], [name], "server")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"argument {flag}" in told
    assert "expected" in told or is_switch


@pytest.mark.parametrize("name", section.Section.model_fields)
@pytest.mark.parametrize("value", [[{}], "", "a\0b"], ids=["an object", "nothing", "NUL"])
def test_each_key_of_a_configuration_refuses_what_it_cannot_be(
    name: str, value: object, tmp_path: Path
) -> None:
    path = tmp_path / "synapse.json"
    path.write_text(json.dumps({"serve": {name: value}}))
    with pytest.raises((config.ConfigError, CannotServe), match=f"`serve.{name}[`.\\[]"):
        config.read(path).serving()


def configured(folder: Path, text: str) -> Path:
    path = folder / "synapse.yaml"
    path.write_text(text)
    return path


def test_a_configuration_says_how_to_serve(folder: Path, pb: Any, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    path = configured(
        tmp_path,
        f"""
modules:
  probe:
    methods:
      text: {{allow: [alice]}}
serve:
  token_file: {tokens}
  allow: ["*"]
  max_message: 1000
  access_log: text
""",
    )

    def code(server: Any, token: str, method: str, text: str) -> str:
        metadata = (("authorization", f"Bearer {token}"),)
        with server.channel() as channel:
            request = pb.TextRequest(text=text)
            ask = stub(channel, method)
            return code_of(lambda: ask(request, timeout=20, metadata=metadata)).name

    with started(folder, "--config", str(path), "--max-message", "2000") as server:
        assert code(server, ALICE, "Text", "hello") == "OK"
        assert code(server, BOB, "Text", "hello") == "PERMISSION_DENIED"
        assert code(server, BOB, "Fail", "zero") == "INTERNAL"
        # The command line goes first.
        assert code(server, ALICE, "Text", "x" * 1500) == "OK"
        assert code(server, ALICE, "Text", "x" * 2500) == "RESOURCE_EXHAUSTED"
        assert "identity=bob" in server.log.read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("serve: {max_call: 1}", "there is no key `max_call`\n  → did you mean `max_calls`?"),
        ("serve: {max_calls: 0}", "`serve.max_calls`: Input should be greater than or equal to 1"),
        ("serve: {max_calls: many}", "`serve.max_calls`: Input should be a valid integer"),
        ("serve:\n  listen: nowhere", ":2: `serve.listen`: expected HOST:PORT"),
        ("serve: {port_file: p}", "there is no key `port_file`"),
        ("serve: {tls_cert: c}", "--tls-cert: needs --tls-key"),
        (
            "modules: {probe: {methods: {text: {allow: [a]}}}}",
            "allow: needs something that says who calls",
        ),
    ],
)
def test_a_wrong_configuration_is_told(folder: Path, tmp_path: Path, text: str, told: str) -> None:
    error = refused(folder, "--config", str(configured(tmp_path, text)))
    assert told in error


def test_a_list_of_a_function_that_is_not_served_is_refused(folder: Path, tmp_path: Path) -> None:
    path = configured(tmp_path, "modules: {probe: {methods: {txet: {allow: [a]}}}}")
    env = {"TOKENS": f"alice:{ALICE}"}
    error = refused(folder, "--config", str(path), "--token-env", "TOKENS", env=env)
    assert "allow: probe.v1.ProbeService has no function txet: did you mean text?" in error


def test_an_address_on_the_command_line_replaces_the_configured_one(
    folder: Path, pb: Any, tmp_path: Path
) -> None:
    path = configured(tmp_path, "serve: {listen: 'unix:/no/such/folder/s', max_workers: 2}")
    with started(folder, "--config", str(path), "--port", "0") as server:
        assert server.address.startswith("127.0.0.1:")
        assert server.call("Text", pb.TextRequest(text="hello")).result == "hello"


def test_all_settings_but_those_of_one_start_can_be_configured() -> None:
    keys = config.json_schema()["$defs"]["Section"]["properties"].keys()
    assert section.settings().keys() - keys == {"port_file", "exit_with_parent"}


def test_options_are_checked_wherever_they_come_from() -> None:
    with pytest.raises(CannotServe, match="--tls-cert: needs --tls-key"):
        Options(tls_cert=Path("cert.pem"))


def test_deadline_of_the_server(folder: Path, pb: Any) -> None:
    with started(folder, "--max-deadline", "0.2") as server:
        failure = server.failure("Wait", pb.SecondsRequest(seconds=20.0), timeout=None)
        assert failure.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        server.until("CountCancelled", 1)
