"""What annotations say, read once for introspection and for serving: both must see the same.

Nothing here knows the contract. It takes annotations apart: aliases, containers, the alternatives
of unions, and the fields of classes that are not models.
"""

from __future__ import annotations

import builtins
import collections
import collections.abc as abc
import inspect
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pydantic
import typing_extensions
from pydantic.fields import FieldInfo
from typing_inspection import typing_objects

Path = tuple[int, ...]
"""Where an alternative stands in nested unions: indices, ``None`` left out."""

ListKind = Literal["list", "tuple", "deque", "Sequence", "Iterable"]
SetKind = Literal["set", "frozenset", "Set"]
MapKind = Literal["dict", "Mapping", "defaultdict", "OrderedDict", "Counter"]

_LISTS: Mapping[Any, ListKind] = {
    list: "list",
    abc.MutableSequence: "list",
    collections.deque: "deque",
    abc.Sequence: "Sequence",
    abc.Iterable: "Iterable",
}
_SETS: Mapping[Any, SetKind] = {
    set: "set",
    abc.MutableSet: "set",
    frozenset: "frozenset",
    abc.Set: "Set",
}
_MAPS: Mapping[Any, MapKind] = {
    dict: "dict",
    abc.Mapping: "Mapping",
    abc.MutableMapping: "Mapping",
    collections.defaultdict: "defaultdict",
    collections.OrderedDict: "OrderedDict",
    collections.Counter: "Counter",
}


@dataclass(frozen=True, slots=True)
class ListHint:
    """A container of items of one type, in order."""

    kind: ListKind
    item: Any


@dataclass(frozen=True, slots=True)
class SetHint:
    """A container of different items of one type."""

    kind: SetKind
    item: Any


@dataclass(frozen=True, slots=True)
class MapHint:
    """A container of values of one type by keys of one type."""

    kind: MapKind
    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class TupleHint:
    """A tuple with a type for each item."""

    items: tuple[Any, ...]


Container = ListHint | SetHint | MapHint | TupleHint


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative of a union: where it stands, and its annotation, perhaps ``Annotated``."""

    path: Path
    annotation: Any


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A union taken apart: its alternatives, and whether ``None`` is one of them."""

    members: tuple[Alternative, ...]
    nullable: bool


def peel(annotation: Any) -> tuple[Any, list[Any]]:
    """Take off whatever stands around a type; gives the metadata, too, from the inside out.

    That is ``Annotated``, ``NewType``, aliases, type variables, ``Final``, ``Required`` and kin. An
    alias that is nothing but itself is left as it is.
    """
    metadata: list[Any] = []
    aliases: list[Any] = []
    while True:
        annotation, inner = peel_to_alias(annotation)
        metadata = [*inner, *metadata]
        if not is_alias(annotation) or annotation in aliases:
            return annotation, metadata
        aliases.append(annotation)
        annotation = alias_value(annotation)


def peel_to_alias(annotation: Any) -> tuple[Any, list[Any]]:
    """As :func:`peel`, but it stops at an alias, which has a name."""
    metadata: list[Any] = []
    while True:
        origin = typing.get_origin(annotation)
        if typing_objects.is_annotated(origin):
            metadata = [*annotation.__metadata__, *metadata]
            annotation = annotation.__origin__
        elif typing_objects.is_newtype(annotation):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar):
            annotation = _type_variable(annotation)
        elif typing_objects.is_typeguard(origin) or typing_objects.is_typeis(origin):
            annotation = bool
        elif is_qualifier(origin):
            (annotation,) = typing.get_args(annotation)
        else:
            return annotation, metadata


_QUALIFIERS = (
    typing_objects.is_final,
    typing_objects.is_required,
    typing_objects.is_notrequired,
    typing_objects.is_readonly,
)


def is_qualifier(origin: Any) -> bool:
    """Whether this is ``Final``, ``Required``, ``NotRequired`` or ``ReadOnly``."""
    return any(is_one(origin) for is_one in _QUALIFIERS)


def _type_variable(variable: Any) -> Any:
    """What pydantic takes for a variable that is not filled in."""
    default = getattr(variable, "__default__", typing_extensions.NoDefault)
    if not typing_objects.is_nodefault(default):
        return default
    if variable.__constraints__:
        return typing.Union[variable.__constraints__]  # noqa: UP007 - made at run time
    return variable.__bound__ if variable.__bound__ is not None else Any


def is_alias(annotation: Any) -> bool:
    """Whether this is a ``TypeAliasType``, perhaps with arguments."""
    if annotation is pydantic.JsonValue:
        return False  # It is a kind of value, and its own definition is pydantic's affair.
    return typing_objects.is_typealiastype(typing.get_origin(annotation) or annotation)


def is_reachable(alias: Any) -> bool:
    """Whether an alias stands under its name in its module."""
    if typing.get_args(alias):
        return False
    module = sys.modules.get(alias.__module__)
    return getattr(module, alias.__name__, None) is alias


def alias_value(alias: Any) -> Any:
    """What an alias stands for, with names resolved and arguments filled in."""
    origin = typing.get_origin(alias) or alias
    value = resolve(origin.__value__, getattr(origin, "__module__", None) or "builtins")
    arguments = typing.get_args(alias)
    return substitute(value, dict(zip(origin.__type_params__, arguments, strict=True)))


def resolve(annotation: Any, module: str) -> Any:
    """An annotation whose strings and forward references are looked up in a module."""
    namespace = vars(sys.modules.get(module, builtins))
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(holder, namespace, include_extras=True)["it"]


def substitute(annotation: Any, arguments: Mapping[Any, Any]) -> Any:
    """An annotation with type variables replaced."""
    if not arguments:
        return annotation
    if isinstance(annotation, typing.TypeVar):
        return arguments.get(annotation, annotation)
    if isinstance(annotation, type) and not is_parametrized(annotation):
        return annotation
    variables = getattr(annotation, "__parameters__", ())
    if not any(variable in arguments for variable in variables):
        return annotation
    return annotation[tuple(arguments.get(variable, variable) for variable in variables)]


def is_parametrized(annotation: Any) -> bool:
    """Whether this is a generic class with its arguments: ``Page[Item]``."""
    model = getattr(annotation, "__pydantic_generic_metadata__", None)
    if isinstance(annotation, type) and model:
        return bool(model["args"])
    return typing.get_origin(annotation) is not None


def is_union(annotation: Any) -> bool:
    """Whether this is ``A | B`` or ``Union[A, B]``."""
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def alternatives(annotation: Any, metadata: Iterable[Any] = ()) -> Alternatives:
    """A union with all unions inside it opened.

    Under a discriminator that is a field's name, pydantic opens nested unions itself: there, paths
    count the alternatives that come out. ``metadata`` is what stands beside the annotation.
    """
    members = tuple(_members(annotation, (), list(metadata)))
    return Alternatives(
        tuple(member for member in members if member.annotation is not None),
        any(member.annotation is None for member in members),
    )


def _members(annotation: Any, path: Path, metadata: list[Any]) -> Iterator[Alternative]:
    """Alternatives; that of ``None`` has no annotation."""
    inner, own = peel(annotation)
    if inner is types.NoneType or inner is None:
        yield Alternative(path, None)
        return
    if not is_union(inner):
        yield Alternative(path, annotation)
        return
    index = 0
    arguments = typing.get_args(inner)
    opens_nested = _opens_nested([*own, *metadata])
    # One alternative beside None is no union to pydantic.
    is_optional = len([one for one in arguments if one is not types.NoneType]) == 1
    for argument in arguments:
        if argument is types.NoneType:
            yield Alternative(path, None)
            continue
        if is_optional:
            yield from _members(argument, path, [*own, *metadata])
            continue
        found = list(_members(argument, (*path, index), []))
        if not opens_nested:
            yield from found
            index += 1
            continue
        for one in found:
            if one.annotation is None:
                yield one
                continue
            yield Alternative((*path, index), one.annotation)
            index += 1


def _opens_nested(metadata: Iterable[Any]) -> bool:
    found = (getattr(item, "discriminator", None) for item in metadata)
    return any(isinstance(discriminator, str) for discriminator in found)


def container(annotation: Any) -> Container | None:
    """What container a peeled annotation is; one without arguments holds anything."""
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    try:
        hash(origin)
    except TypeError:
        return None
    if origin is tuple:
        return _tuple(annotation, arguments)
    if origin in _LISTS:
        return ListHint(_LISTS[origin], *(arguments or (Any,)))
    if origin in _SETS:
        return SetHint(_SETS[origin], *(arguments or (Any,)))
    if origin is collections.Counter:
        return MapHint("Counter", arguments[0] if arguments else Any, int)
    if origin in _MAPS:
        key, value = arguments or (str, Any)
        return MapHint(_MAPS[origin], key, value)
    return None


def _tuple(annotation: Any, arguments: tuple[Any, ...]) -> Container:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return ListHint("tuple", arguments[0])
    if not arguments and annotation in (tuple, typing.Tuple):  # noqa: UP006 - as it is written
        return ListHint("tuple", Any)
    return TupleHint(arguments)


def class_of(annotation: Any) -> type | None:
    """The class of an annotation, without its arguments; ``None`` where it is no class."""
    origin = typing.get_origin(annotation) or annotation
    return origin if isinstance(origin, type) else None


def arguments_of(annotation: Any) -> tuple[Any, ...]:
    """What a generic class is filled in with; empty for any other."""
    model = getattr(annotation, "__pydantic_generic_metadata__", None)
    if isinstance(annotation, type) and model:
        return tuple(model["args"])
    return typing.get_args(annotation)


def is_named_tuple(cls: Any) -> bool:
    """Whether a class is a ``NamedTuple``."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def is_typed_dict(cls: Any) -> bool:
    """Whether a class is a ``TypedDict``, of ``typing`` or ``typing_extensions``."""
    return isinstance(cls, type) and typing_extensions.is_typeddict(cls)


def optional_keys(cls: Any) -> frozenset[str]:
    """The keys of a ``TypedDict`` that may be absent.

    What the class itself says is wrong where annotations are postponed.
    """
    found = typing_extensions.get_type_hints(cls, include_extras=True)
    return frozenset(name for name, hint in found.items() if _is_optional(cls, name, hint))


def _is_optional(cls: Any, name: str, hint: Any) -> bool:
    while (origin := typing.get_origin(hint)) is not None:
        if typing_objects.is_required(origin) or typing_objects.is_notrequired(origin):
            return typing_objects.is_notrequired(origin)
        if not typing_objects.is_annotated(origin) and not typing_objects.is_readonly(origin):
            break
        hint = hint.__origin__ if typing_objects.is_annotated(origin) else typing.get_args(hint)[0]
    return name in cls.__optional_keys__


def hints(annotation: Any) -> dict[str, Any]:
    """The annotations of a class's fields by name, ``Annotated`` kept and arguments filled in."""
    cls = class_of(annotation)
    assert cls is not None
    found = typing_extensions.get_type_hints(cls, include_extras=True)
    if is_named_tuple(cls):
        found = {name: found.get(name, Any) for name in cls._fields}  # type: ignore[attr-defined]
    variables = getattr(cls, "__parameters__", ())
    arguments = dict(zip(variables, typing.get_args(annotation), strict=False))
    return {name: substitute(hint, arguments) for name, hint in found.items()}


def literal_values(annotation: Any) -> list[Any]:
    """The values of a peeled ``Literal`` in order, with nested ones and aliases opened."""
    values = []
    for argument in typing.get_args(annotation):
        inner, _ = peel(argument)
        is_literal = typing_objects.is_literal(typing.get_origin(inner))
        values.extend(literal_values(inner) if is_literal else [argument])
    return values


def computed_hints(cls: type) -> dict[str, Any]:
    """The types of a model's computed fields by name."""
    decorators = getattr(cls, "__pydantic_decorators__", None)
    if decorators is None:
        return {}
    return {name: _returned(found.info) for name, found in decorators.computed_fields.items()}


def _returned(info: Any) -> Any:
    """What a computed field returns: pydantic finds it when it makes the model's schema."""
    return info.return_type


def text(annotation: Any) -> str:
    """An annotation as a person writes it: ``datetime``, ``list[int]``."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__
    return repr(annotation).replace("typing.", "").replace("NoneType", "None")


def extra_hint(cls: type) -> Any | None:
    """The type of values besides the fields of a model; ``None`` where it takes none."""
    if not issubclass(cls, pydantic.BaseModel) or cls.model_config.get("extra") != "allow":
        return None
    for base in cls.__mro__:
        written = inspect.get_annotations(base).get("__pydantic_extra__")
        if written is not None and base is not pydantic.BaseModel:
            extras, _ = peel(resolve(written, base.__module__))
            return (typing.get_args(extras) or (str, Any))[1]
    return Any


def metadata_of(info: FieldInfo) -> list[Any]:
    """What stands beside a field's annotation, with its discriminator."""
    match info.discriminator:
        case None:
            return info.metadata
        case str(field):
            return [*info.metadata, pydantic.Discriminator(field)]
        case discriminator:
            return [*info.metadata, discriminator]
