"""Bad networks and killed servers: calls end as they should, whatever happens to them."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
import trustme
from beams import Beam
from samples import Bridges
from servers import Server
from suites import run_suite


@pytest.fixture(scope="module")
def clients() -> tuple[str, ...]:
    return ("streams",)


def test_the_suite_passes(compiled: Beam, bridges: Bridges, tmp_path: Path) -> None:
    with Server(bridges["streams"], tmp_path) as server:
        run_suite(compiled, server, "test/faults_test.exs", "test/hostile_servers_test.exs")


def test_with_tls_no_damage_is_a_wrong_result(
    compiled: Beam, bridges: Bridges, tmp_path: Path
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    certificate.private_key_pem.write_to_path(key)
    pem = authority.cert_pem.bytes().decode()
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
    with Server(bridges["streams"], tmp_path, f"--tls-cert={chain}", f"--tls-key={key}") as server:
        run_suite(compiled, server, "test/faults_test.exs", "--only=damage", SYNAPSE_CA=der)
