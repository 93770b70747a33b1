"""Models and dataclasses → messages."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from synapse_bridge.contract import names
from synapse_bridge.contract.model import Default, Dynamic, Field, Literally, Message, Required
from synapse_bridge.contract.types import ListOf, MapOf, Nullable, Type
from synapse_bridge.introspect import source
from synapse_bridge.introspect.annotations import Context, read_type
from synapse_bridge.introspect.catalogue import Catalogue, class_doc, qualified
from synapse_bridge.introspect.customs import placed
from synapse_bridge.introspect.defaults import literal
from synapse_bridge.introspect.docstrings import read_docstring
from synapse_bridge.introspect.naming import check_name
from synapse_bridge.introspect.refusal import Place, Unsupported


@dataclass(frozen=True, slots=True)
class _Validators:
    """What the validators of a class mean for one field.

    ``before``: one sees the value before its type does, so constraints do not hold for what is
    sent. ``any``: one may change the value, so sending the default is not the same as leaving it
    to Python.
    """

    before: bool
    any: bool


def read_message(cls: type, catalogue: Catalogue) -> None:
    """Read a class that the catalogue has noted; its refusals go there too."""
    name = qualified(cls)
    place = catalogue.places[name]
    try:
        _check_class(cls)
        infos = _field_infos(cls)
    except Unsupported as error:
        return catalogue.refuse(error.at(place))
    except NameError as error:
        return catalogue.refuse(undefined(error).at(_place_of_name(cls, error)))
    except Exception as error:
        # An annotation is an expression of the user's, and can raise anything.
        return catalogue.refuse(unreadable(error).at(place))
    role, doc, field_docs = _documentation(cls)
    fields = []
    for number, (field, info) in enumerate(infos.items(), 1):
        read = _read_field(cls, field, info, number, field_docs.get(field, ""), catalogue)
        if read is not None:
            fields.append(read)
    catalogue.messages[name] = Message(name, "", "", role, tuple(fields), doc, cls.__module__)


def _read_field(
    cls: type, name: str, info: FieldInfo, number: int, doc: str, catalogue: Catalogue
) -> Field | None:
    place = source.field_place(cls, name)
    catalogue.parts[qualified(cls), name] = place
    catalogue.note_renamed(f"{qualified(cls)}.{name}", info.metadata)
    validators = _validators(cls, name)
    context = Context(
        catalogue=catalogue,
        place=place,
        module=cls.__module__,
        path=f"{cls.__qualname__}.{name}",
        namespace=vars(sys.modules[cls.__module__]),
        config=_config(cls),
        checked=not validators.before,
    )
    try:
        _check_field(cls, info)
        override = context.override()
        if override is None:
            type_, annotation = read_type(info.annotation, context, info.metadata), None
        else:
            type_, annotation = placed(override, read_type(override.annotation, context))
        check_name(name)
    except Unsupported as error:
        catalogue.refuse(error.at(place))
        return None
    return Field(
        name=name,
        number=number,
        type=type_,
        default=_default(type_, info, validators, context),
        doc=source.clean(info.description) or doc,
        proto=names.proto_field(name),
        elixir=names.elixir_field(name),
        annotation=annotation,
    )


def _default(type_: Type, info: FieldInfo, validators: _Validators, context: Context) -> Default:
    if info.is_required():
        return Required()
    if info.default is None and isinstance(type_, Nullable):
        return Literally(None)
    if validators.any:
        return Dynamic()
    value, factory = info.default, info.default_factory
    if factory is list and isinstance(type_, ListOf):
        value = []
    elif factory is dict and isinstance(type_, MapOf):
        value = {}
    elif factory is not None:
        return Dynamic()
    return literal(type_, value, info.rebuild_annotation(), context.catalogue, context.config)


def _field_infos(cls: type) -> Mapping[str, FieldInfo]:
    """Fields in declaration order, as pydantic sees them."""
    if issubclass(cls, pydantic.BaseModel):
        cls.model_rebuild()  # resolves forward references, which pydantic does on first use
        return cls.model_fields
    if hasattr(cls, "__pydantic_fields__"):
        return typing.cast("Mapping[str, FieldInfo]", cls.__pydantic_fields__)
    hints = typing.get_type_hints(cls, include_extras=True)
    return dict(_standard_fields(cls, hints))


def _standard_fields(cls: type, hints: Mapping[str, Any]) -> Iterator[tuple[str, FieldInfo]]:
    for field in dataclasses.fields(cls):
        given = field.default if isinstance(field.default, FieldInfo) else field
        yield field.name, FieldInfo.from_annotated_attribute(hints[field.name], given)
    for name, hint in hints.items():
        if isinstance(hint, dataclasses.InitVar):
            raise Unsupported(
                f"`{name}` is an InitVar, which the constructor takes but nobody can read",
                "make it a field",
            )


def undefined(error: NameError) -> Unsupported:
    """A name in an annotation that its module does not have."""
    what = f"`{error.name}` is not defined" if error.name else str(error)
    return Unsupported(
        f"{what} when the annotation is evaluated",
        "import or define it at the top of the module (not only under `TYPE_CHECKING`)",
    )


def unreadable(error: Exception) -> Unsupported:
    """Annotations that raise when they are evaluated."""
    first, _, _ = str(error).partition("\n\n")
    return Unsupported(
        f"its annotations cannot be evaluated: {type(error).__name__}: {first}",
        "correct the annotations",
    )


def _place_of_name(cls: type, error: NameError) -> Place:
    """The field in whose annotation an undefined name stands, else the class."""
    for name in source.annotated_fields(cls):
        place = source.field_place(cls, name)
        if error.name and error.name in place.annotation:
            return place
    return source.class_place(cls)


def _check_class(cls: type) -> None:
    """Refuse what makes a class's values differ from its fields."""
    config = _config(cls)
    if config.get("extra") == "allow":
        raise Unsupported(
            'its `extra="allow"` lets it hold values without a type',
            "write a `dict[str, …]` field for them",
        )
    decorators = getattr(cls, "__pydantic_decorators__", None)
    if decorators is None:
        return
    for kind, found in (
        ("computed field", decorators.computed_fields),
        ("field serializer", decorators.field_serializers),
        ("model serializer", decorators.model_serializers),
    ):
        for name in found:
            raise Unsupported(
                f"its {kind} `{name}` makes other values than the fields have",
                "drop it, or give the wire a model of its own",
            )


def _check_field(cls: type, info: FieldInfo) -> None:
    if info.exclude or getattr(info, "exclude_if", None):
        raise Unsupported(
            "`exclude` keeps it out of every dump, and the wire must not undo that",
            "give the wire a model without the field",
        )
    if info.init is False:
        raise Unsupported(
            "`init=False`: it cannot be set from outside", "make it an ordinary field"
        )
    if info.init_var:
        raise Unsupported("it is an InitVar, which nobody can read", "make it an ordinary field")
    if info.validation_alias is not None and getattr(cls, "__pydantic_custom_init__", False):
        raise Unsupported(
            "it has an alias, and the class an `__init__` of its own, which takes only aliases",
            "drop the alias or the `__init__`",
        )


def _config(cls: type) -> Mapping[str, Any]:
    if issubclass(cls, pydantic.BaseModel):
        return typing.cast("Mapping[str, Any]", cls.model_config)
    return getattr(cls, "__pydantic_config__", {})


def _validators(cls: type, name: str) -> _Validators:
    decorators = getattr(cls, "__pydantic_decorators__", None)
    if decorators is None:
        return _Validators(before=False, any=False)
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
    return _Validators(before=any(mode != "after" for mode in modes), any=bool(modes))


def _documentation(cls: type) -> tuple[typing.Literal["model", "dataclass"], str, dict[str, str]]:
    """Role, documentation, and what an "Attributes" section of the docstring says of fields."""
    role: typing.Literal["model", "dataclass"] = (
        "model" if issubclass(cls, pydantic.BaseModel) else "dataclass"
    )
    text = class_doc(cls)
    parsed = read_docstring(text)
    if not parsed.params:
        return role, text, {}
    doc = "\n\n".join(part for part in (parsed.summary, parsed.description) if part)
    return role, doc, dict(parsed.params)
