"""TLS is verified at both ends, follows its files, and refuses bad ones at start."""

from __future__ import annotations

import datetime
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from synapse_bridge.serve.conftest import code_of, refused, started, stub

TRANSPORTS = ("http2", "grpcio")


@dataclass(frozen=True)
class Files:
    """A certificate and its key in files, and the CA of both ends."""

    folder: Path
    ca: trustme.CA

    @property
    def options(self) -> tuple[str, ...]:
        return ("--tls-cert", str(self.folder / "cert.pem"), "--tls-key", str(self.key))

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def ca_file(self) -> Path:
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(path)
        return path

    def write(self, cert: trustme.LeafCert) -> None:
        """Replace the files as certificate tools do: by renaming."""
        for name, blobs in (("cert", cert.cert_chain_pems), ("key", [cert.private_key_pem])):
            new = self.folder / f"{name}.new"
            new.write_bytes(b"".join(blob.bytes() for blob in blobs))
            os.replace(new, self.folder / f"{name}.pem")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    found = Files(tmp_path, trustme.CA())
    found.write(found.ca.issue_cert("localhost"))
    return found


@contextmanager
def channel(
    address: str, ca: trustme.CA, client: trustme.LeafCert | None = None
) -> Iterator[grpc.Channel]:
    """A channel that trusts a CA, and shows a certificate if it has one."""
    chain = b"".join(blob.bytes() for blob in client.cert_chain_pems) if client else None
    key = client.private_key_pem.bytes() if client else None
    credentials = grpc.ssl_channel_credentials(ca.cert_pem.bytes(), key, chain)
    port = address.rpartition(":")[2]
    # Each with a connection of its own.
    options = (("grpc.use_local_subchannel_pool", 1),)
    with grpc.secure_channel(f"localhost:{port}", credentials, options=options) as channel:
        yield channel


def ask(channel: grpc.Channel, pb: Any) -> grpc.StatusCode:
    return code_of(lambda: stub(channel, "Text")(pb.TextRequest(text="hello"), timeout=10))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_clients_that_trust_the_ca_are_answered(
    folder: Path, pb: Any, files: Files, transport: str
) -> None:
    with started(folder, "--transport", transport, *files.options) as server:
        with channel(server.address, files.ca) as trusting:
            assert ask(trusting, pb) == grpc.StatusCode.OK
        with channel(server.address, trustme.CA()) as distrusting:
            assert ask(distrusting, pb) == grpc.StatusCode.UNAVAILABLE
        with grpc.insecure_channel(server.address) as plain:
            assert ask(plain, pb) == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_http2_is_agreed_on_by_alpn(folder: Path, pb: Any, files: Files, transport: str) -> None:
    context = ssl.create_default_context(cafile=str(files.ca_file))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with started(folder, "--transport", transport, *files.options) as server:
        port = int(server.address.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            assert connection.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_new_certificates_are_used_without_a_restart(
    folder: Path, pb: Any, files: Files, transport: str
) -> None:
    with started(folder, "--transport", transport, *files.options) as server:
        with channel(server.address, files.ca) as before:
            assert ask(before, pb) == grpc.StatusCode.OK
            another = trustme.CA()
            files.write(another.issue_cert("localhost"))
            with channel(server.address, another) as after:
                assert ask(after, pb) == grpc.StatusCode.OK
            assert ask(before, pb) == grpc.StatusCode.OK  # on the connection that it has
        with channel(server.address, files.ca) as late:
            assert ask(late, pb) == grpc.StatusCode.UNAVAILABLE
        # What cannot be used is told, and does no harm.
        (files.folder / "cert.pem").write_text("half a file")
        with channel(server.address, another) as after:
            assert ask(after, pb) == grpc.StatusCode.OK
        assert "what was read before stays in use: --tls-cert" in server.log.read_text()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_needs_a_certificate_of_the_ca(
    folder: Path, pb: Any, files: Files, transport: str
) -> None:
    clients = trustme.CA()
    file = files.folder / "clients.pem"
    clients.cert_pem.write_to_path(file)
    options = ("--client-ca", str(file), "--allow", "alice,spiffe://shop/bob")
    with started(folder, "--transport", transport, *files.options, *options) as server:
        for client, code in (
            (clients.issue_cert("a.example", common_name="alice"), grpc.StatusCode.OK),
            (clients.issue_cert("b.example", common_name="b"), grpc.StatusCode.PERMISSION_DENIED),
            (trustme.CA().issue_cert("c", common_name="alice"), grpc.StatusCode.UNAVAILABLE),
            (None, grpc.StatusCode.UNAVAILABLE),
        ):
            with channel(server.address, files.ca, client) as found:
                assert ask(found, pb) == code


def test_a_key_of_another_certificate_is_refused(folder: Path, files: Files) -> None:
    other = trustme.CA().issue_cert("localhost")
    other.private_key_pem.write_to_path(files.key)
    error = refused(folder, *files.options)
    assert f"--tls-key: {files.key} is not the key of the certificate in" in error


@pytest.mark.parametrize(
    ("days", "told"), [(-1, "certificate has expired"), (400, "certificate is not yet valid")]
)
def test_a_certificate_out_of_its_time_is_refused(
    folder: Path, files: Files, days: int, told: str
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    start, end = (now + datetime.timedelta(days=days + n) for n in (-10, 0))
    if days > 0:
        start, end = now + datetime.timedelta(days=10), now + datetime.timedelta(days=20)
    files.write(files.ca.issue_cert("localhost", not_before=start, not_after=end))
    assert f"--tls-cert: {files.folder / 'cert.pem'}: {told}" in refused(folder, *files.options)


def test_a_key_with_a_password_is_refused(folder: Path, files: Files) -> None:
    key: Any = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    error = refused(folder, *files.options)
    assert f"--tls-key: {files.key}: expected a key without a password" in error


@pytest.mark.parametrize(
    ("name", "option", "told"),
    [
        ("cert.pem", "--tls-cert", "expected a certificate in PEM form"),
        ("key.pem", "--tls-key", "expected a private key in PEM form"),
    ],
)
def test_files_of_another_kind_are_refused(
    folder: Path, files: Files, name: str, option: str, told: str
) -> None:
    (files.folder / name).write_text("secret nonsense")
    error = refused(folder, *files.options)
    assert f"{option}: {files.folder / name}: {told}" in error
    assert "secret" not in error
    (files.folder / name).unlink()
    error = refused(folder, *files.options)
    assert f"{option}: {files.folder / name} cannot be read: No such file" in error


def test_a_ca_file_without_certificates_is_refused(folder: Path, files: Files) -> None:
    empty = files.folder / "empty.pem"
    empty.write_text("")
    error = refused(folder, *files.options, "--client-ca", str(empty))
    assert f"--client-ca: {empty}: expected CA certificates in PEM form" in error


def test_a_plain_server_that_others_can_reach_warns(folder: Path, files: Files) -> None:
    def log(*options: str) -> str:
        with started(folder, "--host", "0.0.0.0", *options) as server:
            return server.log.read_text()

    assert log().count("is open to other machines, and nothing is encrypted") == 1
    assert "nothing is encrypted" not in log(*files.options)
