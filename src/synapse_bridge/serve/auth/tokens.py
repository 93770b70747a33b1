"""Static bearer tokens: who has the secret is who it belongs to."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from synapse_bridge.serve.auth.access import Authenticator, Credentials
from synapse_bridge.serve.identity import Identity
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.watched import Watched, read_file

LOG = logging.getLogger("synapse_bridge.serve")
Tokens: TypeAlias = tuple[tuple[bytes, Identity], ...]
"""SHA-256 of each token, and whose it is. The tokens themselves are not kept."""

_LINE = re.compile(r"([^\s:]+):([A-Za-z0-9._~+/=-]+)")
_SHORT = 20


def from_file(path: Path) -> Authenticator:
    """Tokens in a file, one ``name:token`` a line; the file is read again when it changes."""
    _warn_if_readable_by_others(path)

    def read() -> Tokens:
        text = read_file(path, "--token-file").decode("utf-8", "replace")
        return _tokens(text, f"--token-file: {path}")

    return _authenticator(Watched(read, path).get)


def from_environment(variable: str) -> Authenticator:
    """Tokens in an environment variable, ``name:token``, separated by commas or line breaks."""
    text = os.environ.get(variable)
    if text is None:
        raise CannotServe(f"--token-env: there is no environment variable {variable}")
    tokens = _tokens(text.replace(",", "\n"), f"--token-env: {variable}")
    return _authenticator(lambda: tokens)


def _authenticator(tokens: Callable[[], Tokens]) -> Authenticator:
    def authenticate(credentials: Credentials) -> Identity | None:
        token = credentials.bearer
        if token is None:
            return None
        digest = _digest(token)
        found = None
        # All of them, so that the time tells nothing about which, or whether.
        for known, identity in tokens():
            if hmac.compare_digest(known, digest):
                found = identity
        return found

    return authenticate


def _tokens(text: str, place: str) -> Tokens:
    """The tokens in a text. No message has any part of a line, which might be a secret."""
    tokens: dict[bytes, Identity] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if not found:
            raise CannotServe(f"{place}, line {number}: expected name:token")
        name, token = found.groups()
        if len(token) < _SHORT:
            LOG.warning(
                "%s, line %d: the token is shorter than %d characters", place, number, _SHORT
            )
        if tokens.setdefault(_digest(token), Identity(name, "token")).name != name:
            raise CannotServe(f"{place}, line {number}: the token has another name already")
    if not tokens:
        raise CannotServe(f"{place}: expected name:token, found no token")
    return tuple(tokens.items())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _warn_if_readable_by_others(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # Reading it will tell.
    if mode & 0o077:
        LOG.warning(
            "--token-file: others on this machine have access to %s (mode %03o): chmod 600 %s",
            *(path, mode, path),
        )
