"""The client's certificate as its identity (mutual TLS)."""

from __future__ import annotations

from synapse_bridge.serve.auth.access import Credentials
from synapse_bridge.serve.identity import Identity


def authenticate(credentials: Credentials) -> Identity | None:
    """Recognizes a client by the certificate that TLS has verified.

    The name is its common name, or its first alternative name; the alternative names (DNS names,
    URIs, such as SPIFFE's) count as roles, so that an ``allow:`` list can name them, too.
    """
    common = credentials.certificate.get("common_name", ())
    names = credentials.certificate.get("names", ())
    if not common and not names:
        return None
    claims = {"common_name": common, "names": names}
    return Identity((*common, *names)[0], "certificate", frozenset(names), claims)
