"""Classes with named fields → messages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic.fields import FieldInfo

from synapse_bridge import hints
from synapse_bridge.contract import names
from synapse_bridge.contract.model import (
    Annotation,
    Default,
    Dynamic,
    Field,
    Literally,
    Message,
    Required,
)
from synapse_bridge.contract.types import ListOf, MapOf, Nullable, Scalar, SetOf, Type
from synapse_bridge.introspect import source
from synapse_bridge.introspect.annotations import read_type
from synapse_bridge.introspect.catalogue import Catalogue, class_doc, generic_origin
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.customs import placed
from synapse_bridge.introspect.defaults import literal
from synapse_bridge.introspect.docstrings import read_docstring
from synapse_bridge.introspect.naming import check_name
from synapse_bridge.introspect.refusal import Place, Unsupported
from synapse_bridge.introspect.structures import (
    Member,
    Validators,
    check_class,
    config_of,
    members_of,
    role_of,
    validators_of,
)
from synapse_bridge.serializers import Serializer, serializers


def read_message(annotation: Any, catalogue: Catalogue) -> None:
    """Read a class that the catalogue has noted; its refusals go there too."""
    name = catalogue.name_of(annotation)
    cls = generic_origin(annotation)
    place = catalogue.places[name]
    try:
        check_class(hints.class_of(annotation) or cls)
        members = members_of(annotation)
        computed = hints.computed_hints(hints.class_of(annotation) or cls)
        extra = hints.extra_hint(hints.class_of(annotation) or cls)
    except Unsupported as error:
        return catalogue.refuse(error.at(place))
    except NameError as error:
        return catalogue.refuse(undefined(error).at(_place_of_name(cls, error)))
    except Exception as error:
        # An annotation is an expression of the user's, and can raise anything.
        return catalogue.refuse(unreadable(error).at(place))
    doc, field_docs = _documentation(cls)
    reader = _Reader(name, annotation, cls, catalogue)
    fields = [reader.field(field, one, field_docs.get(field, "")) for field, one in members.items()]
    fields += [reader.computed(field, hint) for field, hint in computed.items()]
    numbered = [
        replace(field, number=number)
        for number, field in enumerate((field for field in fields if field), 1)
    ]
    more = None if extra is None else reader.extra(extra, numbered)
    catalogue.messages[name] = Message(
        name,
        "",
        "",
        role_of(cls),
        tuple(numbered),
        doc,
        cls.__module__,
        catalogue.arguments[name],
        more,
    )


class _Reader:
    """Reads the fields of one class."""

    def __init__(self, name: str, annotation: Any, cls: type, catalogue: Catalogue) -> None:
        self._name = name
        self._annotation = annotation
        self._class = hints.class_of(annotation) or cls
        self._origin = cls
        self._catalogue = catalogue
        self._serializers = serializers(self._class)

    def field(self, name: str, member: Member, doc: str) -> Field | None:
        """A field as the class declares it; ``None`` where it is refused."""
        place = source.field_place(self._origin, name)
        self._catalogue.note_renamed(f"{self._name}.{name}", member.info.metadata)
        validators = validators_of(self._class, name)
        context = self._context(name, place, checked=not validators.before)
        try:
            _check_field(self._class, name, member.info)
            serializer = self._serializers.get(name) if context.override() is None else None
            if serializer is not None and serializer.returns is not None:
                type_ = read_type(serializer.hint, replace(context, checked=False))
                annotation = None
            else:
                metadata = hints.metadata_of(member.info)
                type_, annotation = self._type(member.info.annotation, context, metadata)
                if serializer is not None:
                    _check_plain(serializer, type_)
            check_name(name)
        except Unsupported as error:
            self._catalogue.refuse(error.at(place))
            return None
        if serializer is not None:
            # A default is not what a serializer makes of it.
            validators = replace(validators, any=True)
        default = _default(type_, member.info, validators, context)
        return Field(
            name=name,
            number=0,
            type=type_,
            default=Dynamic() if member.absent else default,
            doc=source.clean(member.info.description) or doc,
            proto=names.proto_field(name),
            elixir=names.elixir_field(name),
            annotation=annotation,
            serialized=serializer is not None,
        )

    def computed(self, name: str, hint: Any) -> Field | None:
        """A computed field; ``None`` where it is refused."""
        info = self._class.__pydantic_decorators__.computed_fields[name].info  # type: ignore[attr-defined]
        place = source.field_place(self._origin, name)
        try:
            context = self._context(name, place, checked=False)
            type_, annotation = self._type(hint, context, ())
            check_name(name)
        except Unsupported as error:
            self._catalogue.refuse(error.at(place))
            return None
        return Field(
            name=name,
            number=0,
            type=type_,
            default=Required(),
            doc=source.clean(info.description),
            proto=names.proto_field(name),
            elixir=names.elixir_field(name),
            computed=True,
            annotation=annotation,
        )

    def extra(self, hint: Any, fields: Sequence[Field]) -> Field | None:
        """The map of what an instance holds besides its fields."""
        place = source.class_place(self._origin)
        taken = {name for field in fields for name in (field.proto, field.elixir)}
        name = "extra"
        while name in taken:
            name += "_"
        try:
            value = read_type(hint, self._context("extra", place, checked=True))
        except Unsupported as error:
            self._catalogue.refuse(error.at(place))
            return None
        type_ = MapOf(Scalar("string"), value)
        proto = names.proto_field(name) if name == "extra" else f"extra_{len(name)}"
        return Field(name, len(fields) + 1, type_, Literally({}), "", proto, name)

    def _context(self, name: str, place: Place, *, checked: bool) -> Context:
        self._catalogue.parts[self._name, name] = place
        home, local = self._catalogue.local[self._name]
        return Context(
            catalogue=self._catalogue,
            place=place,
            module=home,
            path=f"{local}.{name}",
            namespace=vars(sys.modules[home]),
            config=config_of(self._class),
            checked=checked,
            ordered=not hints.is_parametrized(self._annotation),
        )

    def _type(
        self, annotation: Any, context: Context, metadata: Iterable[Any]
    ) -> tuple[Type, Annotation | None]:
        override = context.override()
        if override is None:
            return read_type(annotation, context, metadata), None
        return placed(override, read_type(override.annotation, context))


def _check_plain(serializer: Serializer, type_: Type) -> None:
    """Refuse a serializer that does not say what it makes of a structure; of a scalar, each value
    is checked."""
    plain = type_.inner if isinstance(type_, Nullable) else type_
    if not isinstance(plain, Scalar):
        raise Unsupported(
            f"its serializer `{serializer.name}` does not say what it returns",
            "annotate what it returns, or give `return_type=`",
        )


def _default(type_: Type, info: FieldInfo, validators: Validators, context: Context) -> Default:
    if info.is_required():
        return Required()
    if info.default is None and isinstance(type_, Nullable):
        return Literally(None)
    if validators.any:
        return Dynamic()
    value, factory = info.default, info.default_factory
    if factory is list and isinstance(type_, ListOf):
        value = []
    elif factory is set and isinstance(type_, SetOf):
        value = set()
    elif factory is dict and isinstance(type_, MapOf):
        value = {}
    elif factory is not None:
        return Dynamic()
    return literal(type_, value, info.rebuild_annotation(), context.catalogue, context.config)


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


def _check_field(cls: type, name: str, info: FieldInfo) -> None:
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
    if _is_by_alias_only(cls, name, info):
        raise Unsupported(
            "it has an alias, and the class an `__init__` of its own, which takes only aliases",
            "drop the alias or the `__init__`",
        )


def _is_by_alias_only(cls: type, name: str, info: FieldInfo) -> bool:
    """Whether an ``__init__`` of the class's own stands between us and a name that it refuses."""
    if info.validation_alias in (None, name) or not getattr(cls, "__pydantic_custom_init__", False):
        return False
    config: Mapping[str, object] = getattr(cls, "model_config", {})
    return not (config.get("populate_by_name") or config.get("validate_by_name"))


def _documentation(cls: type) -> tuple[str, dict[str, str]]:
    """Documentation, and what an "Attributes" section of the docstring says of fields."""
    text = class_doc(cls)
    parsed = read_docstring(text)
    if not parsed.params:
        return text, {}
    doc = "\n\n".join(part for part in (parsed.summary, parsed.description) if part)
    return doc, dict(parsed.params)
