"""Constraints: what a client can check before it sends, read from an annotation's metadata.

A constraint is carried only where checking the value *as it is sent* gives the server's answer.
Behind a validator or a transformation (``strip_whitespace``) it is not, and then the check stays
with the server, which validates everything in any case.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import annotated_types as at
import pydantic
from pydantic.fields import FieldInfo
from pydantic.types import PathType, UuidVersion

from synapse_bridge.contract.registry import ROWS
from synapse_bridge.contract.types import NONE, Constraints
from synapse_bridge.introspect.refusal import Unsupported
from synapse_bridge.markers import BigInt

_NAMES: Mapping[type, str] = {
    at.Ge: "ge",
    at.Gt: "gt",
    at.Le: "le",
    at.Lt: "lt",
    at.MultipleOf: "multiple_of",
    at.MinLen: "min_length",
    at.MaxLen: "max_length",
}
_VALIDATORS = (
    pydantic.BeforeValidator,
    pydantic.AfterValidator,
    pydantic.WrapValidator,
    pydantic.PlainValidator,
)
# Serializers shape dumps; what travels are the values themselves.
_HARMLESS = (
    pydantic.PlainSerializer,
    pydantic.WrapSerializer,
    pydantic.SerializeAsAny,
    pydantic.Json,
    pydantic.Strict,
    pydantic.Discriminator,
    pydantic.FailFast,
    pydantic.Tag,
    pydantic.WithJsonSchema,
    pydantic.UrlConstraints,
    PathType,
    UuidVersion,
    at.Predicate,
    at.Not,
)
_GENERAL = type(FieldInfo(pattern="").metadata[0])  # holds `pattern` and the like
_TRANSFORMS = ("strip_whitespace", "to_lower", "to_upper", "coerce_numbers_to_str")
_CONFIG_TRANSFORMS = (
    "str_strip_whitespace",
    "str_to_lower",
    "str_to_upper",
    "coerce_numbers_to_str",
)
# Bounds that no contract needs: they have no JSON, and the server still holds NaN to them.
_INFINITE = (math.inf, -math.inf)
_LENGTHS = {"str_min_length": "min_length", "str_max_length": "max_length"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """An annotation's metadata, sorted by what it means to the wire."""

    values: Mapping[str, Any]
    """Constraints by pydantic's names, as far as they hold for the value that is sent."""
    before: bool
    """Whether a validator sees the value before its type does: then nothing inside it holds."""
    bigint: bool = False
    """Whether an ``int`` has any size."""


def read_metadata(metadata: Iterable[Any]) -> Metadata:
    """Sort metadata. Refuses what would make the value another one than the type says."""
    values: dict[str, Any] = {}
    before = after = bigint = False
    for item in _expand(metadata):
        if item is BigInt or isinstance(item, BigInt):
            bigint = True
        elif isinstance(item, pydantic.AfterValidator):
            after = True
        elif isinstance(item, _VALIDATORS):
            before = True
        elif type(item) in _NAMES:
            if not after:
                values[_NAMES[type(item)]] = getattr(item, _NAMES[type(item)])
        elif isinstance(item, pydantic.AllowInfNan):
            values["allow_inf_nan"] = item.allow_inf_nan
        elif isinstance(item, _GENERAL):
            if not after:
                values |= {k: v for k, v in vars(item).items() if v is not None}
        elif isinstance(item, _HARMLESS) or item in _HARMLESS or _is_note(item):
            continue
        else:
            kind = item.__name__ if isinstance(item, type) else type(item).__name__
            raise Unsupported(
                f"`{kind}` in an `Annotated` changes what the value is",
                "annotate the plain type that travels, and convert in the function",
            )
    return Metadata({} if before else values, before, bigint)


def _is_note(item: Any) -> bool:
    """Whether metadata is nothing to pydantic."""
    return not hasattr(item, "__get_pydantic_core_schema__")


def constraints(
    kind: str, values: Mapping[str, Any], config: Mapping[str, Any] | None = None
) -> Constraints:
    """The constraints that a type of this registry row carries."""
    config = config or {}
    if kind in ("string", "secret_string"):
        if any(values.get(name) for name in _TRANSFORMS):
            return NONE
        if any(config.get(name) for name in _CONFIG_TRANSFORMS):
            return NONE
        implied = {ours: config[theirs] for theirs, ours in _LENGTHS.items() if config.get(theirs)}
        values = {**implied, **values}
    if "allow_inf_nan" in config:
        values = {"allow_inf_nan": config["allow_inf_nan"], **values}
    carried: dict[str, Any] = {}
    for name, value in values.items():
        if name not in ROWS[kind].constraints:
            continue
        if name == "allow_inf_nan":
            if value != (kind == "double"):
                carried[name] = value
        elif name == "pattern":
            if isinstance(value, str) and config.get("regex_engine") != "python-re":
                carried[name] = value
        elif type(value) in (int, float) and value not in _INFINITE:
            carried[name] = _exact(kind, value)
    return Constraints(**carried)


def _exact(kind: str, value: float) -> float:
    """An integer's bound as an int where it is one: ``le=10.0`` is ``le=10``."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if kind in ("int64", "uint64", "bigint") and whole else value


def _expand(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _expand(item.metadata)
        elif getattr(item, "__is_annotated_types_grouped_metadata__", False) is True:
            yield from _expand(item)
        else:
            yield item
