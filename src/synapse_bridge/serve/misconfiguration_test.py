"""What a person may get wrong outside of the program.

Each is refused when the server starts, by the option's name and with what was expected, whether it
came from the command line or the configuration; and no secret is told.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
import yaml

from synapse_bridge.serve.conftest import refused

SECRET = "hunter2-hunter2-hunter2"


@dataclass(frozen=True)
class Surroundings:
    """Files of a test, and a port that is taken."""

    folder: Path
    port: int

    @property
    def tls(self) -> dict[str, str]:
        """A certificate and its key."""
        return {"tls_cert": self.file("cert.pem"), "tls_key": self.file("key.pem")}

    def file(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    """A certificate, keys, and files that hold nothing but a secret."""
    mine, other = (trustme.CA().issue_cert("localhost") for _ in range(2))
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    mine.private_key_pem.write_to_path(tmp_path / "key.pem")
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "folder").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield Surroundings(tmp_path, taken.getsockname()[1])


Given = Callable[[Surroundings], dict[str, object]]

WRONG: dict[str, tuple[Given, list[str]]] = {
    "a port in use": (
        lambda around: {"port": around.port},
        ["Cannot listen on 127.0.0.1:", "Address already in use", "--port"],
    ),
    "a host that does not resolve": (
        lambda _: {"host": "nowhere.invalid"},
        ["Cannot listen on nowhere.invalid:0", "--host and --listen take a name or an address of"],
    ),
    "a certificate that is missing": (
        lambda around: {**around.tls, "tls_cert": around.file("none")},
        ["--tls-cert: ", "cannot be read: No such file or directory"],
    ),
    "a certificate that is a folder": (
        lambda around: {**around.tls, "tls_cert": around.file("folder")},
        ["--tls-cert: ", "cannot be read: Is a directory"],
    ),
    "a certificate that is none": (
        lambda around: {**around.tls, "tls_cert": around.file("secret")},
        ["--tls-cert: ", "expected a certificate in PEM form"],
    ),
    "a key of another certificate": (
        lambda around: {**around.tls, "tls_key": around.file("other.pem")},
        ["--tls-key: ", "is not the key of the certificate in"],
    ),
    "a key that is none": (
        lambda around: {**around.tls, "tls_key": around.file("secret")},
        ["--tls-key: ", "expected a private key in PEM form"],
    ),
    "an authority that is none": (
        lambda around: {**around.tls, "client_ca": around.file("secret")},
        ["--client-ca: ", "expected CA certificates in PEM form"],
    ),
    "a token file that is missing": (
        lambda around: {"token_file": around.file("none")},
        ["--token-file: ", "cannot be read: No such file or directory"],
    ),
    "a token file that cannot be read": (
        lambda around: {"token_file": around.file("folder")},
        ["--token-file: ", "cannot be read: Is a directory"],
    ),
    "a token file without names": (
        lambda around: {"token_file": around.file("secret")},
        ["--token-file: ", "line 1: expected name:token"],
    ),
    "a variable that is missing": (
        lambda _: {"token_env": "NO_SUCH_VARIABLE"},
        ["--token-env: there is no environment variable NO_SUCH_VARIABLE"],
    ),
    "keys of JWTs that are none": (
        lambda around: {
            "jwt_keys": around.file("secret"),
            "jwt_issuer": "me",
            "jwt_audience": "you",
        },
        ["--jwt-keys: "],
    ),
    "an authenticator that is missing": (
        lambda _: {"authenticator": "no_such_module:check"},
        ["--authenticator: "],
    ),
}


@pytest.mark.parametrize("source", ["command line", "configuration"])
@pytest.mark.parametrize("wrong", WRONG)
def test_it_is_refused_by_its_name(
    folder: Path, around: Surroundings, wrong: str, source: str
) -> None:
    given, told = WRONG[wrong]
    settings = given(around)
    if source == "command line":
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    else:
        path = around.folder / "synapse.yaml"
        path.write_text(yaml.safe_dump({"serve": settings}))
        options = ["--config", str(path)]
    error = refused(folder, *options)
    for text in told:
        assert text in error
    assert SECRET not in error


def test_an_unknown_option_is_refused(folder: Path, tmp_path: Path) -> None:
    assert "unrecognized arguments: --max-cals" in refused(folder, "--max-cals", "5")
    path = tmp_path / "synapse.yaml"
    path.write_text("serve: {max_cals: 5}")
    error = refused(folder, "--config", str(path))
    assert "max_cals" in error
