"""Annotations → types of the contract."""

from __future__ import annotations

import builtins
import enum
import re
import sys
import typing
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pydantic

from synapse_bridge import hints
from synapse_bridge.contract.types import (
    ListOf,
    MapOf,
    Nullable,
    RootOf,
    Scalar,
    ScalarKind,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
    parts,
    unrooted,
)
from synapse_bridge.generic_models import fields_of_model
from synapse_bridge.introspect import unsupported
from synapse_bridge.introspect.constraints import constraints, read_metadata
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.customs import adapted, flags, overridden
from synapse_bridge.introspect.literals import is_literal, read_literal
from synapse_bridge.introspect.overrides import Overridden
from synapse_bridge.introspect.reach import qualified
from synapse_bridge.introspect.refusal import Unsupported
from synapse_bridge.introspect.scalars import scalar_kind
from synapse_bridge.introspect.structures import check_class, is_structure, validators_of
from synapse_bridge.introspect.unions import Name, Recursion, read_union
from synapse_bridge.signs import is_wrapped_anothers

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)


def read_type(annotation: Any, context: Context, metadata: Iterable[Any] = ()) -> Type:
    """The type of an annotation; ``metadata`` is what stands beside it, as in ``Annotated``.

    Raises :class:`Unsupported` where there is none that carries every value without loss.
    """
    written, inner = hints.peel_to_alias(annotation)
    metadata = [*inner, *metadata]
    if hints.is_alias(written):
        ordered = not typing.get_args(written)
        return _alias(written, replace(context, ordered=ordered), metadata)
    if is_wrapped_anothers(annotation):
        context = replace(context, ordered=False)
    return _read(written, None, context, metadata)


def _alias(alias: Any, context: Context, metadata: list[Any]) -> Type:
    """The type of an alias, which may name itself."""
    open_ = context.catalogue.recursions
    if alias in open_:
        return open_[alias].ref()
    known = context.catalogue.known
    if alias in known and not metadata:
        return known[alias]
    value = hints.alias_value(alias)
    name = Name(alias.__module__, alias.__name__, "alias")
    open_[alias] = recursion = Recursion(name, value)
    reachable = context.catalogue.reaches(alias)
    outer = metadata
    try:
        peeled, inner = hints.peel_to_alias(value)
        metadata = [*inner, *metadata]
        if hints.is_alias(peeled):
            type_ = read_type(peeled, context, metadata)
        else:
            if alias in context.catalogue.reachable:
                context = replace(context, module=name.module, path=name.local)
            type_ = _read(peeled, name if reachable else None, context, metadata)
    finally:
        del open_[alias]
    if not recursion.found:
        named = isinstance(type_.inner if isinstance(type_, Nullable) else type_, UnionRef)
        if not outer and ((named and reachable) or alias in context.catalogue.reachable):
            known[alias] = type_  # It is the same wherever it stands.
        return type_
    if not reachable:
        raise Unsupported(
            f"the recursive alias `{alias}` cannot be reached by its name",
            "define it at the top of its module, under its own name and without arguments",
        )
    known[alias] = recursion.close(type_, context)
    return known[alias]


def _read(annotation: Any, name: Name | None, context: Context, metadata: list[Any]) -> Type:
    """The type of a peeled annotation; one that has a name gives it to its union."""
    known = read_metadata(metadata)
    if known.before:
        context = replace(context, checked=False)
    values = known.values if context.checked else {}
    cls = hints.class_of(annotation)
    if cls is not None and cls is annotation:
        override = _class_override(cls, context)
        if override is not None:
            within = context.within | {cls}
            # Constraints are about the class's own values, not about what they travel as.
            inner = [] if override.override.converts else metadata
            type_ = read_type(override.annotation, replace(context, within=within), inner)
            return overridden(override, type_, is_class=True)
    kind = scalar_kind(annotation)
    if kind is not None:
        return _scalar("bigint" if known.bigint and kind == "int64" else kind, values, context)
    if (container := hints.container(annotation)) is not None:
        return _container(container, values, context.under(annotation))
    if hints.is_union(annotation):
        members = hints.alternatives(annotation, metadata).members
        if len(members) == 1:  # Optional: what stands beside it is about its value.
            type_ = read_type(members[0].annotation, context.under(annotation), metadata)
            has_none = isinstance(type_, Nullable) or type_ == Scalar("any")
            return type_ if has_none else _nullable(type_)
        return read_union(annotation, name, metadata, context, read_type)
    if is_literal(annotation):
        return read_literal(annotation, context)
    if cls is not None:
        return _class(annotation, cls, context)
    raise unsupported.explain(annotation)


def _nullable(type_: Type) -> Nullable:
    if isinstance(unrooted(type_), Nullable):
        raise Unsupported(
            "`None` is a value of the RootModel and also its absence",
            "let only one of the two be `None`",
        )
    return Nullable(type_)


def _container(container: hints.Container, values: Mapping[str, Any], context: Context) -> Type:
    match container:
        case hints.ListHint(kind, item):
            return ListOf(read_type(item, context), constraints("list", values), kind)
        case hints.SetHint(kind, item):
            return SetOf(read_type(item, context), constraints("set", values), kind)
        case hints.MapHint(kind, key, value):
            limits = constraints("map", values)
            return MapOf(_key(key, context), read_type(value, context), limits, kind)
        case hints.TupleHint(items):
            return TupleOf(tuple(read_type(item, context) for item in items))


def _key(annotation: Any, context: Context) -> Type:
    type_ = read_type(annotation, context.inside("key"))
    if _is_secret(type_):
        raise Unsupported(
            "a secret cannot be the key of a map: paths of violations tell the keys",
            "make it a part of the value: `list[tuple[SecretStr, …]]`",
        )
    return type_


def _is_secret(type_: Type) -> bool:
    if isinstance(type_, Scalar):
        return type_.kind in ("secret_string", "secret_bytes")
    return any(map(_is_secret, parts(type_).values()))


def _class_override(cls: type, context: Context) -> Overridden | None:
    home = vars(sys.modules.get(cls.__module__, builtins))
    override = context.catalogue.override(qualified(cls), home)
    if override is not None and cls in context.within:
        raise Unsupported(
            f"the override of `{qualified(cls)}` leads back to it", "name another type in `types`"
        )
    return override


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


def _class(annotation: Any, cls: type, context: Context) -> Type:
    """The type of a class of the user's, perhaps with arguments."""
    if issubclass(cls, enum.Flag):
        return flags(cls)
    if issubclass(cls, enum.Enum):
        return context.catalogue.enum(cls)
    if issubclass(cls, pydantic.RootModel):
        return _root(cls, context)
    if is_structure(cls):
        if (noted := context.catalogue.noted(annotation)) is not None:
            return noted
        inside = context.under(annotation)
        arguments = tuple(read_type(one, inside) for one in hints.arguments_of(annotation))
        return context.catalogue.message(annotation, arguments)
    if (custom := adapted(cls)) is not None:
        return custom
    raise unsupported.explain(annotation)


def _root(cls: type[pydantic.RootModel[Any]], context: Context) -> Type:
    """A ``RootModel`` as what it holds, which may be itself."""
    catalogue, name, home = context.catalogue, qualified(cls), cls.__module__
    if cls.__pydantic_generic_metadata__["origin"] is pydantic.RootModel:
        # pydantic makes it in the module that first wrote it.
        name, home = f"pydantic.root_model.{cls.__qualname__}", "pydantic.root_model"
    open_ = catalogue.recursions
    if cls in open_:
        return RootOf(name, home, open_[cls].ref())
    if cls in catalogue.known:
        return catalogue.known[cls]
    if not hints.is_parametrized(cls):
        catalogue.reach(cls)
    check_class(cls)
    cls.model_rebuild()
    info = fields_of_model(cls)["root"]
    # pydantic calls a generic one with its arguments after them: `RootModel[Union[A, B]]`.
    local = re.sub(r"[^\w.]+", "_", cls.__qualname__).strip("_")
    own_name = Name(cls.__module__, local, "place")
    open_[cls] = recursion = Recursion(own_name, info.annotation)
    own = replace(
        context,
        module=cls.__module__,
        path=f"{local}.root",
        namespace=vars(sys.modules[cls.__module__]),
        config=cls.model_config,
        checked=not validators_of(cls, "root").before,
    )
    try:
        annotation, metadata = hints.peel_to_alias(info.annotation)
        metadata += hints.metadata_of(info)
        if hints.is_alias(annotation):
            type_ = read_type(annotation, own, metadata)
        else:
            type_ = _read(annotation, own_name, own, metadata)
    finally:
        del open_[cls]
    catalogue.known[cls] = RootOf(name, home, recursion.close(type_, own))
    return catalogue.known[cls]
