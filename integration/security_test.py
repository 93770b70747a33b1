"""Certificates and tokens between the generated client and the generated server."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from beams import HostBeam
from samples import Bridges
from servers import Control, Server


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("greeter",)


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
def test_the_suite_passes(
    transport: str, compiled_host: HostBeam, bridges: Bridges, tmp_path: Path
) -> None:
    for name in ("now", "next"):
        _write_files(tmp_path / name)
    now = tmp_path / "now"
    options = (
        f"--transport={transport}",
        f"--tls-cert={now / 'server.pem'}",
        f"--tls-key={now / 'server.key'}",
        f"--client-ca={now / 'ca.pem'}",
        f"--token-file={now / 'tokens'}",
    )
    with Server(bridges["greeter"], tmp_path, *options) as server, Control(server) as control:
        outcome = compiled_host.mix(
            "test",
            "test/security_test.exs",
            project="suites",
            SYNAPSE_TARGET=f"localhost:{server.port}",
            SYNAPSE_CONTROL=control,
            SYNAPSE_CERTIFICATES=str(tmp_path),
        )
        log = server.log
    if outcome.exit_code != 0:
        pytest.fail(f"{outcome.output}\nThe server's log:\n{log}", pytrace=False)
    told = outcome.output + log
    secrets = [(tmp_path / name / "token").read_text() for name in ("now", "next")]
    assert not any(secret in told for secret in secrets), "a token is in a log"


def _write_files(folder: Path) -> None:
    """An authority, certificates of a server and of a client, and the client's token."""
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "client"):
        leaf = authority.issue_cert("localhost" if name == "server" else "client.example")
        (folder / f"{name}.pem").write_bytes(b"".join(p.bytes() for p in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(folder / f"{name}.key")
    (folder / "token").write_text(f"the-token-of-{folder.name}-{'x' * 20}")
    (folder / "tokens").write_text(f"alice:{(folder / 'token').read_text()}\n")
    (folder / "tokens").chmod(0o600)
