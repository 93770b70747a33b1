"""Annotations → types of the contract."""

from __future__ import annotations

import builtins
import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pydantic
from typing_inspection import typing_objects

from synapse_bridge.contract.types import (
    ListOf,
    MapOf,
    Nullable,
    Scalar,
    ScalarKind,
    Type,
)
from synapse_bridge.introspect import unsupported
from synapse_bridge.introspect.catalogue import Catalogue, LiteralValue, qualified
from synapse_bridge.introspect.constraints import constraints, read_metadata
from synapse_bridge.introspect.customs import adapted, flags, overridden
from synapse_bridge.introspect.overrides import Overridden
from synapse_bridge.introspect.refusal import Place, Unsupported
from synapse_bridge.introspect.scalars import scalar_kind

_KEYS = (bool, int, str)
_BARE: Mapping[Any, Any] = {
    list: list[Any],
    typing.List: list[Any],  # noqa: UP006 # what it says
    dict: dict[str, Any],
    typing.Dict: dict[str, Any],  # noqa: UP006
}
"""Containers that do not say what they hold."""
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)


@dataclass(frozen=True, slots=True)
class Context:
    """Where an annotation stands.

    ``module`` and ``path`` (``Order.status``) are its qualified name, after which an unnamed
    ``Literal`` is called; ``namespace`` is the globals of that module, where a ``Literal`` may have
    got a name; ``config`` the pydantic configuration of its model; ``checked`` is false where a
    validator sees the value before its type does; ``within`` are the classes whose overrides led
    here.
    """

    catalogue: Catalogue
    place: Place
    module: str
    path: str
    namespace: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    checked: bool = True
    within: frozenset[type] = frozenset()

    def override(self) -> Overridden | None:
        """What the configuration puts in the place of this annotation, or ``None``."""
        return self.catalogue.override(f"{self.module}.{self.path}", self.namespace)


def read_type(annotation: Any, context: Context, metadata: Iterable[Any] = ()) -> Type:
    """The type of an annotation; ``metadata`` is what stands beside it, as in ``Annotated``.

    Raises :class:`Unsupported` where there is none that carries every value without loss.
    """
    annotation, inner = peel(annotation)
    metadata = [*inner, *metadata]
    known = read_metadata(metadata)
    if known.before:
        context = replace(context, checked=False)
    values = known.values if context.checked else {}
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        override = _class_override(annotation, context)
        if override is not None:
            within = context.within | {annotation}
            # Constraints are about the class's own values, not about what they travel as.
            inner = [] if override.override.converts else metadata
            type_ = read_type(override.annotation, replace(context, within=within), inner)
            return overridden(override, type_, is_class=True)
    kind = scalar_kind(annotation)
    if kind is not None:
        return _scalar("bigint" if known.bigint and kind == "int64" else kind, values, context)
    if annotation in _BARE:
        annotation = _BARE[annotation]
    elif isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return _class(annotation, context)
    match typing.get_origin(annotation), typing.get_args(annotation):
        case builtins.list, (item,):
            return ListOf(read_type(item, context), constraints("list", values))
        case builtins.dict, (key, value):
            return _map(key, value, values, context)
        case origin, members if origin in (typing.Union, types.UnionType):
            return _nullable(annotation, members, metadata, context)
        case origin, _ if typing_objects.is_literal(origin):
            return _literal(annotation, context)
    raise unsupported.explain(annotation)


def _class_override(cls: type, context: Context) -> Overridden | None:
    home = vars(sys.modules.get(cls.__module__, builtins))
    override = context.catalogue.override(qualified(cls), home)
    if override is not None and cls in context.within:
        raise Unsupported(
            f"the override of `{qualified(cls)}` leads back to it", "name another type in `types`"
        )
    return override


def peel(annotation: Any) -> tuple[Any, list[Any]]:
    """Take ``Annotated``, ``NewType`` and type aliases off; the metadata from the inside out."""
    metadata: list[Any] = []
    seen: list[Any] = []
    while True:
        if typing_objects.is_annotated(typing.get_origin(annotation)):
            metadata = [*annotation.__metadata__, *metadata]
            annotation = annotation.__origin__
        elif typing_objects.is_newtype(annotation):
            annotation = annotation.__supertype__
        elif typing_objects.is_typealiastype(annotation) and annotation is not pydantic.JsonValue:
            if annotation in seen:
                raise Unsupported(
                    f"the alias `{annotation}` is recursive", "write a recursive model"
                )
            seen.append(annotation)
            annotation = annotation.__value__
        else:
            return annotation, metadata


def _scalar(kind: ScalarKind, values: Mapping[str, Any], context: Context) -> Scalar:
    carried = constraints(kind, values, context.config)
    if kind != "int64":
        return Scalar(kind, carried)
    low = [n for n in (carried.ge, None if carried.gt is None else carried.gt + 1) if n is not None]
    high = [
        n for n in (carried.le, None if carried.lt is None else carried.lt - 1) if n is not None
    ]
    if any(bound not in _INT64 for bound in (*low, *high)):
        if not (low and max(low) >= 0 and high and min(high) in _UINT64):
            raise Unsupported(
                "its bounds go beyond 64 bits",
                "stay within -2**63 … 2**63-1, or 0 … 2**64-1 with `ge=0`, or write "
                "`Annotated[int, synapse_bridge.BigInt]`",
            )
        return Scalar("uint64", carried)
    return Scalar("int64", carried)


def _map(key: Any, value: Any, values: Mapping[str, Any], context: Context) -> MapOf:
    base, _ = peel(key)
    if base not in _KEYS:
        raise Unsupported(
            f"the keys of a dict must be str, int or bool, not {unsupported.text(base)}",
            "use str keys, or a list of models with a key field",
        )
    read = read_type(key, context)
    assert isinstance(read, Scalar)
    return MapOf(read, read_type(value, context), constraints("map", values))


def _nullable(
    annotation: Any, members: Sequence[Any], metadata: Sequence[Any], context: Context
) -> Type:
    inner = [member for member in members if member is not types.NoneType]
    if len(inner) != 1 or len(inner) == len(members):
        raise unsupported.explain(annotation)
    read = read_type(inner[0], context, metadata)
    is_any = isinstance(read, Scalar) and read.kind == "any"  # has None among its own values
    return read if isinstance(read, Nullable) or is_any else Nullable(read)


def _literal(annotation: Any, context: Context) -> Type:
    values: list[LiteralValue] = []
    nullable = False
    for value in _literal_values(annotation):
        match value:
            case None:
                nullable = True
            case enum.Enum():
                raise Unsupported(
                    f"`Literal[{value}]` names an enum member", "annotate the enum itself"
                )
            case str() | int():
                values.append(value)
            case _:
                raise Unsupported(
                    f"`Literal[{value!r}]` is neither str, int nor bool", "use str values"
                )
    if not values:
        raise Unsupported("only None fits it", "leave it out")
    name = _literal_name(annotation, context)
    ref = context.catalogue.literal(tuple(values), context.module, name, context.place)
    return Nullable(ref) if nullable else ref


def _literal_values(annotation: Any) -> list[Any]:
    """Arguments in order, with nested Literals and aliases opened."""
    values = []
    for argument in typing.get_args(annotation):
        inner, _ = peel(argument)
        if typing_objects.is_literal(typing.get_origin(inner)):
            values.extend(_literal_values(inner))
        else:
            values.append(argument)
    return values


def _literal_name(annotation: Any, context: Context) -> str:
    """``Mode`` where the module says ``Mode = Literal[…]``, else the path of the place."""
    for name, value in context.namespace.items():
        if not name.startswith("_") and _is_alias_of(value, annotation):
            return name
    name, count = context.path, 1
    while not context.catalogue.is_free(f"{context.module}.{name}"):
        count += 1
        name = f"{context.path}{count}"
    return name


def _is_alias_of(value: Any, annotation: Any) -> bool:
    """Whether ``value`` is a ``Literal`` of the same values in the same order."""
    if typing_objects.is_typealiastype(value):
        value = value.__value__
    if not typing_objects.is_literal(typing.get_origin(value)):
        return False
    ours, theirs = typing.get_args(value), typing.get_args(annotation)
    return [(type(v), v) for v in ours] == [(type(v), v) for v in theirs]


def _class(cls: type, context: Context) -> Type:
    if issubclass(cls, enum.Flag):
        return flags(cls)
    if issubclass(cls, enum.Enum):
        return context.catalogue.enum(cls)
    is_model = issubclass(cls, pydantic.BaseModel) or dataclasses.is_dataclass(cls)
    is_model = is_model and not issubclass(cls, BaseException)
    if is_model and cls is not pydantic.BaseModel and not unsupported.is_special(cls):
        return context.catalogue.message(cls)
    if (custom := adapted(cls)) is not None:
        return custom
    raise unsupported.explain(cls)
