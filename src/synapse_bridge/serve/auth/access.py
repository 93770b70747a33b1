"""Admission of a call: the identity behind it, and whether that may call the method."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio

from synapse_bridge.serve.identity import Identity

LOG = logging.getLogger("synapse_bridge.serve")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call brings along: metadata in its order, and where it comes from.

    ``certificate`` holds the names in the client's certificate, which TLS has verified:
    ``common_name``, and ``names``, all of its subject's alternative names. It is empty without one.
    """

    metadata: Sequence[tuple[str, str | bytes]]
    peer: str
    certificate: Mapping[str, tuple[str, ...]]

    @property
    def bearer(self) -> str | None:
        """The token of the one ``authorization: Bearer …``, or ``None``."""
        found = [value for key, value in self.metadata if key == "authorization"]
        if len(found) != 1 or not isinstance(found[0], str):
            return None
        scheme, _, token = found[0].partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


Authenticator: TypeAlias = Callable[[Credentials], "Identity | Awaitable[Identity | None] | None"]
Authorizer: TypeAlias = Callable[[Identity, str], "bool | Awaitable[bool]"]


class Access:
    """Decides about calls. Any of the ``authenticators`` may recognize the caller."""

    def __init__(
        self, authenticators: Sequence[Authenticator], authorizer: Authorizer | None = None
    ) -> None:
        self._authenticators = authenticators
        self._authorizer = authorizer

    async def admit(self, method: str, allow: frozenset[str] | None, context: Any) -> Identity:
        """The identity behind a call; ends the call where there is none, or it may not call."""
        identity = await self.identify(_credentials(context))
        if identity is None:
            text = "The call has no valid credentials"
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, text)
            raise AssertionError  # abort never returns
        if allow is not None and not identity.is_any_of(allow):
            await _deny(method, context)
        if self._authorizer is not None and not await self._permits(identity, method):
            await _deny(method, context)
        return identity

    async def identify(self, credentials: Credentials) -> Identity | None:
        """Who brings these credentials; ``None`` for strangers."""
        for authenticate in self._authenticators:
            try:
                found = authenticate(credentials)
                identity = await found if inspect.isawaitable(found) else found
            except Exception:
                # Whatever is wrong with it, it has not recognized anybody.
                LOG.exception("an authenticator failed")
                continue
            if identity is not None:
                return identity
        return None

    async def _permits(self, identity: Identity, method: str) -> bool:
        assert self._authorizer is not None
        try:
            found = self._authorizer(identity, method)
            return (await found if inspect.isawaitable(found) else found) is True
        except Exception:
            LOG.exception("the authorizer failed for %s", method)
            return False


async def _deny(method: str, context: Any) -> NoReturn:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"The caller may not call {method}")
    raise AssertionError  # abort never returns


def _credentials(context: Any) -> Credentials:
    presented = context.auth_context()
    certificate = {}
    if "x509_common_name" in presented or "x509_subject_alternative_name" in presented:
        certificate = {
            "common_name": _texts(presented.get("x509_common_name", ())),
            "names": _texts(presented.get("x509_subject_alternative_name", ())),
        }
    return Credentials(context.invocation_metadata() or (), context.peer(), certificate)


def _texts(values: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(value.decode("utf-8", "replace") for value in values)
