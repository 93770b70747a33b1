"""Who is at the other end of a connection, as gRPC writes it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any


def address(transport: asyncio.BaseTransport) -> str:
    """The other end of a transport."""
    return named(transport.get_extra_info("peername"))


def named(name: Any) -> str:
    """A socket's peer: ``ipv4:127.0.0.1:50000``, ``ipv6:%5B::1%5D:50000``, ``unix:``."""
    if not isinstance(name, tuple):
        return "unix:"
    host, port = name[:2]
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"


def auth_context(transport: asyncio.BaseTransport) -> Mapping[str, Sequence[bytes]]:
    """What the peer's certificate says, under grpcio's names; empty without TLS."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return {}
    context: dict[str, Sequence[bytes]] = {"transport_security_type": (b"ssl",)}
    # The parsed form is there only if the certificate was verified.
    certificate: Mapping[str, Any] | None = tls.getpeercert()
    if certificate:
        names = [
            text for part in certificate["subject"] for key, text in part if key == "commonName"
        ]
        others = [text for _, text in certificate.get("subjectAltName", ())]
        if names:
            context["x509_common_name"] = tuple(name.encode() for name in names)
        if others:
            context["x509_subject_alternative_name"] = tuple(name.encode() for name in others)
        pem = ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))
        context["x509_pem_cert"] = (pem.encode(),)
    return context
