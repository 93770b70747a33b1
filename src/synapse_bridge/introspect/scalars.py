"""Which annotations are values without inner structure, and of which kind."""

from __future__ import annotations

import datetime
import decimal
import ipaddress
import pathlib
import re
import typing
import uuid
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.networks import _BaseMultiHostUrl, _BaseUrl

from synapse_bridge.contract.types import ScalarKind

SCALARS: Mapping[Any, ScalarKind] = {
    bool: "bool",
    int: "int64",
    float: "double",
    decimal.Decimal: "decimal",
    str: "string",
    bytes: "bytes",
    bytearray: "bytearray",
    pydantic.SecretStr: "secret_string",
    pydantic.SecretBytes: "secret_bytes",
    pydantic.Secret[str]: "secret_string",
    pydantic.Secret[bytes]: "secret_bytes",
    datetime.datetime: "datetime",
    pydantic.AwareDatetime: "datetime",
    pydantic.PastDatetime: "datetime",
    pydantic.FutureDatetime: "datetime",
    pydantic.NaiveDatetime: "naive_datetime",
    datetime.date: "date",
    pydantic.PastDate: "date",
    pydantic.FutureDate: "date",
    datetime.time: "time",
    datetime.timedelta: "timedelta",
    uuid.UUID: "uuid",
    pydantic.EmailStr: "email",
    re.Pattern: "regex",
    re.Pattern[str]: "regex",
    typing.Pattern: "regex",
    typing.Pattern[str]: "regex",
    ipaddress.IPv4Address: "ipv4",
    ipaddress.IPv6Address: "ipv6",
    pydantic.IPvAnyAddress: "ip",
    ipaddress.IPv4Interface: "ipv4_interface",
    ipaddress.IPv6Interface: "ipv6_interface",
    pydantic.IPvAnyInterface: "ip_interface",
    ipaddress.IPv4Network: "ipv4_network",
    ipaddress.IPv6Network: "ipv6_network",
    pydantic.IPvAnyNetwork: "ip_network",
    Any: "any",
    object: "any",
    pydantic.JsonValue: "any",
}
_PATHS = (
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    pathlib.Path,
    pathlib.PosixPath,
)
_URLS = (_BaseUrl, _BaseMultiHostUrl)


def scalar_kind(annotation: Any) -> ScalarKind | None:
    """The kind of an annotation without ``Annotated``; ``None`` where it is no scalar."""
    try:
        known = SCALARS.get(annotation)
    except TypeError:  # It cannot be hashed.
        return None
    if known is not None:
        return known
    if annotation in _PATHS:
        return "path"
    if isinstance(annotation, type) and issubclass(annotation, _URLS):
        return "url"
    return "tensor" if _is_array(annotation) else None


def _is_array(annotation: Any) -> bool:
    """Whether this is ``numpy.ndarray``, which is told without importing numpy."""
    origin = typing.get_origin(annotation) or annotation
    is_class = isinstance(origin, type)
    return is_class and (origin.__module__, origin.__qualname__) == ("numpy", "ndarray")
