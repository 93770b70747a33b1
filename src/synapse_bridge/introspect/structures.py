"""Classes with named fields: models, dataclasses, ``TypedDict``s and ``NamedTuple``s."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pydantic
from pydantic.fields import FieldInfo

from synapse_bridge import hints
from synapse_bridge.generic_models import fields_of_model
from synapse_bridge.introspect.refusal import Unsupported

Role = Literal["model", "dataclass", "namedtuple", "typed_dict"]


@dataclass(frozen=True, slots=True)
class Validators:
    """What the validators of a class mean for one field.

    ``before``: one sees the value before its type does, so constraints do not hold for what is
    sent. ``any``: one may change the value, so sending the default is not the same as leaving it
    to Python.
    """

    before: bool
    any: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a class; one that is ``absent`` may be left out, and is then not there."""

    info: FieldInfo
    absent: bool = False


def is_structure(cls: type) -> bool:
    """Whether a class has named fields that a message can have."""
    if issubclass(cls, BaseException) or cls in (pydantic.BaseModel, pydantic.RootModel):
        return False
    return (
        issubclass(cls, pydantic.BaseModel)
        or dataclasses.is_dataclass(cls)
        or hints.is_typed_dict(cls)
        or hints.is_named_tuple(cls)
    )


def role_of(cls: type) -> Role:
    """What kind of class it is."""
    if issubclass(cls, pydantic.BaseModel):
        return "model"
    if hints.is_typed_dict(cls):
        return "typed_dict"
    return "namedtuple" if hints.is_named_tuple(cls) else "dataclass"


def members_of(annotation: Any) -> dict[str, Member]:
    """Fields in declaration order, as pydantic sees them; arguments of generic classes filled in.

    May raise whatever the evaluation of an annotation raises.
    """
    cls = hints.class_of(annotation)
    assert cls is not None
    if cls is pydantic.BaseModel:
        return {}
    if issubclass(cls, pydantic.BaseModel):
        cls.model_rebuild()  # resolves forward references, which pydantic does on first use
        return {name: Member(info) for name, info in fields_of_model(cls).items()}
    found = hints.hints(annotation)
    if hints.is_typed_dict(cls):
        return dict(_typed_dict(cls, found))
    if hints.is_named_tuple(cls):
        return dict(_named_tuple(cls, found))
    if hasattr(cls, "__pydantic_fields__") and annotation is cls:
        return {name: Member(info) for name, info in cls.__pydantic_fields__.items()}
    return dict(_dataclass(cls, found))


def _dataclass(cls: Any, found: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
    for field in dataclasses.fields(cls):
        given = field.default if isinstance(field.default, FieldInfo) else field
        info = FieldInfo.from_annotated_attribute(found[field.name], given)
        yield field.name, Member(info)
    for name, hint in found.items():
        if isinstance(hint, dataclasses.InitVar):
            raise Unsupported(
                f"`{name}` is an InitVar, which the constructor takes but nobody can read",
                "make it a field",
            )


def _typed_dict(cls: Any, found: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
    optional = hints.optional_keys(cls)
    for name, hint in found.items():
        plain, metadata = _unqualified(hint)
        annotation: Any = typing.Annotated[plain, *metadata] if metadata else plain
        info = FieldInfo.from_annotation(annotation)
        yield name, Member(info, absent=name in optional)


def _unqualified(hint: Any) -> tuple[Any, list[Any]]:
    """The annotation without ``Required`` and kin, which may stand around ``Annotated``."""
    metadata: list[Any] = []
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            metadata = [*hint.__metadata__, *metadata]
            hint = hint.__origin__
        elif hints.is_qualifier(origin):
            (hint,) = typing.get_args(hint)
        else:
            return hint, metadata


def _named_tuple(cls: Any, found: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
    for name, hint in found.items():
        if name in cls._field_defaults:
            default = cls._field_defaults[name]
            yield name, Member(FieldInfo.from_annotated_attribute(hint, default))
        else:
            yield name, Member(FieldInfo.from_annotation(hint))


def config_of(cls: type) -> Mapping[str, Any]:
    """The pydantic configuration of a class."""
    if issubclass(cls, pydantic.BaseModel):
        return typing.cast("Mapping[str, Any]", cls.model_config)
    return getattr(cls, "__pydantic_config__", None) or {}


def validators_of(cls: type, name: str) -> Validators:
    """What the validators of a class mean for the field of that name."""
    decorators = getattr(cls, "__pydantic_decorators__", None)
    if decorators is None:
        return Validators(before=False, any=False)
    modes = [
        found.info.mode
        for found in decorators.field_validators.values()
        if name in found.info.fields or "*" in found.info.fields
    ]
    modes += [
        found.info.mode
        for found in decorators.model_validators.values()
        if found.info.mode != "after"
    ]
    modes += [
        "before" for _ in (*decorators.validators.values(), *decorators.root_validators.values())
    ]
    return Validators(before=any(mode != "after" for mode in modes), any=bool(modes))


def check_class(cls: type) -> None:
    """Refuse what makes a class's values differ from its fields, or is refused by pydantic."""
    if hints.is_typed_dict(cls) and sys.version_info < (3, 12) and type(cls).__module__ == "typing":
        raise Unsupported(
            "it is a `typing.TypedDict`, which pydantic takes from Python 3.12 on",
            "write `from typing_extensions import TypedDict`",
        )
    if config_of(cls).get("extra") == "allow" and not issubclass(cls, pydantic.BaseModel):
        raise Unsupported(
            'its `extra="allow"` lets it hold values without a type',
            "write a BaseModel, or a `dict[str, …]` field for them",
        )
