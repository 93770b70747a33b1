"""JSON Web Tokens (RFC 7519), checked by PyJWT against the keys in a JWKS file (RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synapse_bridge.serve.auth.access import Authenticator, Credentials
from synapse_bridge.serve.identity import Identity
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.watched import Watched, read_file


def authenticator(
    keys: Path,
    *,
    issuer: str,
    audience: str,
    algorithms: Sequence[str],
    leeway: float,
    roles_claim: str,
) -> Authenticator:
    """Recognizes tokens that are signed by one of the keys, not expired, and made for us.

    The name is the token's ``sub``. The file is read again when it changes.
    Raises :class:`CannotServe` for keys and algorithms that cannot be used.
    """
    try:
        import jwt  # pants: no-infer-dep
    except ImportError:
        raise CannotServe(
            "--jwt-keys: PyJWT is not installed: pip install 'synapse_bridge[jwt]'"
        ) from None
    known = jwt.algorithms.get_default_algorithms()
    for name in algorithms:
        if name == "none" or name not in known:
            usable = ", ".join(sorted(set(known) - {"none"}))
            raise CannotServe(f"--jwt-algorithms: expected some of {usable}, not {name!r}")
    current = Watched(lambda: _key_set(jwt, keys, algorithms), keys)

    def authenticate(credentials: Credentials) -> Identity | None:
        token = credentials.bearer
        if token is None:
            return None
        try:
            key = _key_for(jwt.get_unverified_header(token), current.get(), algorithms)
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=list(algorithms),
                issuer=issuer,
                audience=audience,
                leeway=leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            return None
        return Identity(claims["sub"], "jwt", _roles(claims.get(roles_claim)), claims)

    return authenticate


def _key_set(jwt: Any, path: Path, algorithms: Sequence[str]) -> tuple[Any, ...]:
    """The keys in a JWKS file that one of the algorithms can use."""
    text = read_file(path, "--jwt-keys")
    try:
        # PyJWT leaves away keys that it does not know, as RFC 7517 asks.
        data = json.loads(text)
        keys = jwt.PyJWKSet.from_dict(data).keys
        private = any(key.get("d") for key in data["keys"])
    except (ValueError, TypeError, AttributeError, KeyError, jwt.PyJWTError):
        raise CannotServe(f"--jwt-keys: {path}: expected a JSON Web Key Set") from None
    if private:
        raise CannotServe(
            f"--jwt-keys: {path}: expected public keys; it holds private ones, which nobody needs "
            "to check tokens"
        )
    usable = tuple(
        key
        for key in keys
        if key.algorithm_name in algorithms and key.public_key_use in (None, "sig")
    )
    if not usable:
        raise CannotServe(
            f"--jwt-keys: {path}: expected a key for one of {', '.join(algorithms)}; there is none"
        )
    return usable


def _key_for(header: Mapping[str, Any], keys: Sequence[Any], algorithms: Sequence[str]) -> Any:
    """The one key that a token can be signed with: that of its ``kid``, else the only one."""
    wanted = header.get("kid")
    found = [key for key in keys if wanted is None or key.key_id == wanted]
    # A key has one algorithm; a header cannot choose another one for it.
    found = [key for key in found if key.algorithm_name == header.get("alg")]
    return found[0] if len(found) == 1 else None


def _roles(claim: Any) -> frozenset[str]:
    """Roles from a list, or from one string with spaces between, as OAuth's ``scope`` has them."""
    if isinstance(claim, str):
        return frozenset(claim.split())
    if isinstance(claim, list):
        return frozenset(role for role in claim if isinstance(role, str))
    return frozenset()
