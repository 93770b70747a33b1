"""From options to authenticators."""

from __future__ import annotations

from collections.abc import Iterator

from synapse_bridge.serve.auth import certificate, jwt, own, tokens
from synapse_bridge.serve.auth.access import Access, Authenticator
from synapse_bridge.serve.options import Options


def build(options: Options) -> Access | None:
    """What decides about calls, or ``None`` where everyone may call.

    Raises :class:`~synapse_bridge.serve.CannotServe` for what cannot be used.
    """
    authenticators = list(_authenticators(options))
    if not authenticators:
        return None
    authorizer = own.authorizer(options.authorizer) if options.authorizer else None
    return Access(authenticators, authorizer)


def _authenticators(options: Options) -> Iterator[Authenticator]:
    if options.identifies_by_certificate:
        yield certificate.authenticate
    if options.token_file:
        yield tokens.from_file(options.token_file)
    if options.token_env:
        yield tokens.from_environment(options.token_env)
    if options.jwt_keys:
        yield jwt.authenticator(
            options.jwt_keys,
            issuer=options.jwt_issuer or "",
            audience=options.jwt_audience or "",
            algorithms=options.jwt_algorithms,
            leeway=options.jwt_leeway,
            roles_claim=options.jwt_roles_claim,
        )
    if options.authenticator:
        yield own.authenticator(options.authenticator)
