"""Who may call a server, and who may not."""

from __future__ import annotations

import hmac
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from grpc_health.v1 import health_pb2, health_pb2_grpc

from synapse_bridge.serve.auth import tokens
from synapse_bridge.serve.conftest import Running, code_of, refused, started, stub

ALICE = "alice-has-a-long-token"
BOB = "bob-has-another-long-token"


def call(server: Running, pb: Any, token: str | None, method: str = "Text") -> str:
    """The code of a call with a token."""
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    with server.channel() as channel:
        request = pb.TextRequest(text="zero")
        return code_of(lambda: stub(channel, method)(request, timeout=20, metadata=metadata)).name


def token_file(folder: Path, *lines: str) -> Path:
    path = folder / "tokens"
    path.write_text("\n".join(lines))
    path.chmod(0o600)
    return path


def test_tokens_are_those_of_the_file_as_it_is_now(folder: Path, pb: Any, tmp_path: Path) -> None:
    path = token_file(tmp_path, "# who may call", f"alice:{ALICE}", "")
    with started(folder, "--token-file", str(path), "--access-log", "text") as server:
        assert call(server, pb, ALICE) == "OK"
        assert call(server, pb, BOB) == "UNAUTHENTICATED"
        assert call(server, pb, None) == "UNAUTHENTICATED"
        token_file(tmp_path, f"bob:{BOB}")
        assert call(server, pb, BOB) == "OK"
        assert call(server, pb, ALICE) == "UNAUTHENTICATED"
        token_file(tmp_path, "no token here")
        assert call(server, pb, BOB) == "OK"
    log = server.log.read_text()
    assert "identity=alice" in log
    assert "code=UNAUTHENTICATED" in log
    assert f"what was read before stays in use: --token-file: {path}, line 1" in log
    assert "no token here" not in log
    assert ALICE not in log
    assert BOB not in log


def test_the_time_of_a_comparison_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    genuine = hmac.compare_digest

    def compare(known: bytes, shown: bytes) -> bool:
        compared.append((known, shown))
        return genuine(known, shown)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    monkeypatch.setenv("SHOP_TOKENS", f"alice:{ALICE},bob:{BOB}")
    authenticate = tokens.from_environment("SHOP_TOKENS")
    for token, name in ((ALICE, "alice"), (BOB, "bob"), ("x", None), (ALICE + "x", None)):
        compared.clear()
        found: Any = authenticate(SimpleNamespace(bearer=token))  # type: ignore[arg-type] # enough
        assert (found and found.name) == name
        # With each of them, and by values that are as long whatever was shown.
        assert [(len(known), len(shown)) for known, shown in compared] == [(32, 32)] * 2


def test_tokens_come_from_the_environment(folder: Path, pb: Any) -> None:
    env = {"SHOP_TOKENS": f"alice:{ALICE},bob:{BOB}"}
    with started(folder, "--token-env", "SHOP_TOKENS", "--allow", "bob", env=env) as server:
        assert call(server, pb, BOB) == "OK"
        assert call(server, pb, ALICE) == "PERMISSION_DENIED"
        assert call(server, pb, "another") == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected name:token, found no token"),
        ("secret", "line 1: expected name:token"),
        ("a:secret\nb:not a token", "line 2: expected name:token"),
        ("a:secret\nb:secret", "line 2: the token has another name already"),
    ],
)
def test_bad_tokens_are_refused_without_showing_them(
    folder: Path, tmp_path: Path, text: str, told: str
) -> None:
    path = token_file(tmp_path, text)
    error = refused(folder, "--token-file", str(path))
    assert f"--token-file: {path}" in error
    assert told in error
    assert "secret" not in error
    error = refused(folder, "--token-env", "SHOP_TOKENS", env={"SHOP_TOKENS": text})
    assert "--token-env: SHOP_TOKENS" in error
    assert "secret" not in error


def test_missing_tokens_are_refused(folder: Path) -> None:
    error = refused(folder, "--token-file", "/no/such/file")
    assert "--token-file: /no/such/file cannot be read: No such file or directory" in error
    assert "--token-env: there is no environment variable NO_SUCH" in refused(
        folder, "--token-env", "NO_SUCH"
    )


def test_a_token_file_that_others_can_read_and_short_tokens_are_warned_of(
    folder: Path, tmp_path: Path
) -> None:
    path = token_file(tmp_path, "alice:short")
    path.chmod(0o644)
    with started(folder, "--token-file", str(path)) as server:
        log = server.log.read_text()
    assert f"others on this machine have access to {path} (mode 644)" in log
    assert "line 1: the token is shorter than 20 characters" in log


def test_health_is_open_on_demand_and_reflection_is_not(
    folder: Path, pb: Any, tmp_path: Path
) -> None:
    def codes(*options: str) -> list[str]:
        path = token_file(tmp_path, f"alice:{ALICE}")
        with (
            started(folder, "--token-file", str(path), *options) as server,
            server.channel() as channel,
        ):
            check = health_pb2_grpc.HealthStub(channel).Check
            reflect = channel.stream_stream(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", bytes, bytes
            )
            return [
                code_of(lambda: check(health_pb2.HealthCheckRequest(), timeout=20)).name,
                code_of(lambda: list(reflect(iter(()), timeout=20))).name,
            ]

    assert codes() == ["UNAUTHENTICATED", "UNAUTHENTICATED"]
    assert codes("--open-health") == ["OK", "UNAUTHENTICATED"]


def test_reflection_can_be_off(folder: Path) -> None:
    with started(folder, "--no-reflection") as server, server.channel() as channel:
        reflect = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", bytes, bytes
        )
        code = code_of(lambda: list(reflect(iter(()), timeout=20)))
        assert code == grpc.StatusCode.UNIMPLEMENTED


class Issuer:
    """Issues JWTs, and publishes its keys in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jwks.json"
        self.keys: dict[str, Any] = {}
        self.add("first", rsa.generate_private_key(65537, 2048))

    def add(self, kid: str, key: Any) -> None:
        self.keys[kid] = key
        self.publish(*self.keys)

    def publish(self, *kids: str) -> None:
        algorithms = jwt.algorithms.get_default_algorithms()
        found = []
        for kid in kids:
            key = self.keys[kid]
            name = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
            public = algorithms[name].to_jwk(key.public_key(), as_dict=True)
            found.append({**public, "kid": kid, "alg": name, "use": "sig"})
        self.file.write_text(json.dumps({"keys": found}))

    def token(self, kid: str = "first", alg: str = "RS256", **claims: Any) -> str:
        claims = {
            "iss": "https://issuer.example",
            "aud": "shop",
            "sub": "alice",
            "exp": time.time() + 60,
            **claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, self.keys[kid], algorithm=alg, headers={"kid": kid})

    @property
    def options(self) -> tuple[str, ...]:
        return (
            *("--jwt-keys", str(self.file), "--jwt-issuer", "https://issuer.example"),
            *("--jwt-audience", "shop"),
        )


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


def test_jwts_count_that_the_issuer_made_for_us(folder: Path, pb: Any, issuer: Issuer) -> None:
    issuer.add("second", ec.generate_private_key(ec.SECP256R1()))
    others = Issuer(issuer.file.parent / "..")
    nobody: Any = None
    unsigned = jwt.encode({"sub": "alice", "exp": time.time() + 60}, nobody, algorithm="none")
    options = ("--allow", "alice,admin", "--jwt-leeway", "5")
    with started(folder, *issuer.options, *options) as server:
        for token, code in (
            (issuer.token(), "OK"),
            (issuer.token("second", "ES256"), "OK"),
            (issuer.token(sub="bob", roles=["admin"]), "OK"),
            (issuer.token(sub="bob", roles="other admin"), "OK"),
            (issuer.token(sub="bob", roles={"admin": True}), "PERMISSION_DENIED"),
            (issuer.token(exp=time.time() - 2), "OK"),
            (issuer.token(exp=time.time() - 20), "UNAUTHENTICATED"),
            (issuer.token(nbf=time.time() + 60), "UNAUTHENTICATED"),
            (issuer.token(iss="https://other.example"), "UNAUTHENTICATED"),
            (issuer.token(aud="another shop"), "UNAUTHENTICATED"),
            (issuer.token(aud=["another shop", "shop"]), "OK"),
            (issuer.token(exp=None), "UNAUTHENTICATED"),
            (issuer.token(sub=None), "UNAUTHENTICATED"),
            (issuer.token(aud=None), "UNAUTHENTICATED"),
            (issuer.token(alg="PS256"), "UNAUTHENTICATED"),
            (others.token(), "UNAUTHENTICATED"),
            (issuer.token()[:-8] + "AAAAAAAA", "UNAUTHENTICATED"),
            (unsigned, "UNAUTHENTICATED"),
            ("no.jwt", "UNAUTHENTICATED"),
        ):
            assert call(server, pb, token) == code, jwt_of(token)


def jwt_of(token: str) -> Any:
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return token


def test_a_public_key_is_no_secret_to_sign_with(folder: Path, pb: Any, issuer: Issuer) -> None:
    """The classic confusion: HS256, with what is public of the RSA key as the secret."""
    claims = {"iss": "https://issuer.example", "aud": "shop", "sub": "alice", "exp": 2**40}
    head = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    published = json.loads(issuer.file.read_text())["keys"][0]
    forged = jwt.encode(claims, published["n"], algorithm="HS256", headers=head)
    options = (*issuer.options, "--jwt-algorithms", "RS256,HS256")
    with started(folder, *options) as server:
        assert call(server, pb, issuer.token()) == "OK"
        assert call(server, pb, forged) == "UNAUTHENTICATED"


def test_keys_are_those_of_the_file_as_it_is_now(folder: Path, pb: Any, tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    with started(folder, *issuer.options) as server:
        assert call(server, pb, issuer.token()) == "OK"
        issuer.add("next", ec.generate_private_key(ec.SECP256R1()))
        assert call(server, pb, issuer.token("next", "ES256")) == "OK"
        issuer.publish("next")
        assert call(server, pb, issuer.token()) == "UNAUTHENTICATED"
        issuer.file.write_text("{}")
        assert call(server, pb, issuer.token("next", "ES256")) == "OK"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"--jwt-issuer": ""}, "--jwt-keys: needs --jwt-issuer and --jwt-audience"),
        ({"--jwt-algorithms": "none"}, "--jwt-algorithms: expected some of ES256"),
        ({"--jwt-algorithms": "HS256"}, "expected a key for one of HS256; there is none"),
        ({"--jwt-leeway": "-1"}, "--jwt-leeway: expected seconds, 0 or more"),
        ({"--jwt-keys": "/no/such"}, "--jwt-keys: /no/such cannot be read"),
        ({"--jwt-keys": __file__}, "expected a JSON Web Key Set"),
        ({"--jwt-keys": ""}, "--jwt-issuer and --jwt-audience: need --jwt-keys"),
    ],
)
def test_bad_settings_of_jwts_are_refused(
    folder: Path, issuer: Issuer, change: dict[str, str], told: str
) -> None:
    options = dict(zip(issuer.options[::2], issuer.options[1::2], strict=True)) | change
    said = [part for name, value in options.items() if value for part in (name, value)]
    assert told in refused(folder, *said)


def test_private_keys_are_not_for_servers(folder: Path, tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    algorithm = jwt.algorithms.get_default_algorithms()["RS256"]
    private = algorithm.to_jwk(issuer.keys["first"], as_dict=True)
    issuer.file.write_text(json.dumps({"keys": [{**private, "kid": "first"}]}))
    error = refused(folder, *issuer.options)
    assert "expected public keys" in error
    assert private["d"] not in error


OWN = """
from synapse_bridge.serve import Identity

def by_header(credentials):
    name = dict(credentials.metadata).get("user")
    assert credentials.peer.startswith("ipv4:127.0.0.1:")
    if name == "broken":
        raise ZeroDivisionError("the secret of the authenticator")
    if name == "wrong":
        return name
    return Identity(name, "header", frozenset({"guest"})) if name else None

async def later(credentials):
    return by_header(credentials)

async def may(identity, method):
    return identity.name == "alice" and method.endswith("/Text")

value = 1
"""


@pytest.mark.parametrize("function", ["by_header", "later"])
def test_an_own_authenticator_stands_beside_tokens(
    folder: Path, pb: Any, tmp_path: Path, function: str
) -> None:
    (folder / "own_auth.py").write_text(OWN)
    path = token_file(tmp_path, f"alice:{ALICE}")
    options = ("--token-file", str(path), "--authenticator", f"own_auth:{function}")
    with (
        started(folder, *options, "--authorizer", "own_auth:may") as server,
        server.channel() as channel,
    ):

        def code(user: str, method: str = "Text") -> str:
            request = pb.TextRequest(text="zero")
            metadata = (("user", user),)
            return code_of(
                lambda: stub(channel, method)(request, timeout=20, metadata=metadata)
            ).name

        assert call(server, pb, ALICE) == "OK"
        assert code("alice") == "OK"
        assert code("alice", "Fail") == "PERMISSION_DENIED"
        assert code("bob") == "PERMISSION_DENIED"
        for user in ("", "broken", "wrong"):
            assert code(user) == "UNAUTHENTICATED"
        assert "an authenticator failed" in server.log.read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--authenticator", "nowhere"), "--authenticator: expected module:function"),
        (("--authenticator", "no_such:f"), "--authenticator: no_such cannot be imported"),
        (("--authenticator", "own_auth:f"), "--authenticator: there is no f in own_auth"),
        (("--authenticator", "own_auth:value"), "--authenticator: own_auth:value is no function"),
        (("--authorizer", "own_auth:may"), "--authorizer: needs something that says who calls"),
        (("--allow", "alice"), "--allow: needs something that says who calls"),
        (("--client-ca", "ca.pem"), "--client-ca: needs --tls-cert and --tls-key"),
        (("--auth-certificate",), "--auth-certificate: needs --client-ca"),
        (("--tls-cert", "c.pem"), "--tls-cert: needs --tls-key"),
        (("--tls-key", "k.pem"), "--tls-key: needs --tls-cert"),
    ],
)
def test_what_cannot_be_used_is_refused(folder: Path, options: tuple[str, ...], told: str) -> None:
    (folder / "own_auth.py").write_text(OWN)
    assert told in refused(folder, *options)
