"""Declared exceptions → messages.

An exception is declared by ``@synapse_bridge.raises``, by the configuration, or by the section
"Raises" of a docstring. The last is prose in the first place: a name there declares an exception
if it is one in the function's module, is not Python's own, and can cross with all that it holds.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synapse_bridge import declaration as declared_by
from synapse_bridge.contract import names
from synapse_bridge.contract.model import Docstring, Field, Message, Required
from synapse_bridge.introspect import source
from synapse_bridge.introspect.annotations import read_type
from synapse_bridge.introspect.catalogue import Catalogue, class_doc
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.docstrings import read_docstring
from synapse_bridge.introspect.models import read_message, undefined, unreadable
from synapse_bridge.introspect.naming import check_name
from synapse_bridge.introspect.reach import qualified
from synapse_bridge.introspect.refusal import Unsupported

_NOT_FIELDS = frozenset({"grpc_code", *dir(BaseException)})


def declared(
    function: Callable[..., Any], doc: Docstring, configured: Iterable[str], catalogue: Catalogue
) -> tuple[str, ...]:
    """The names of the exceptions that a function declares; the catalogue has their classes.

    Raises :class:`Unsupported` for one that cannot cross.
    """
    module = sys.modules.get(source.unwrap(function).__module__)
    namespace = vars(module) if module else {}
    found = [*declared_by.declaration(function).raises]
    found += [_configured(name, namespace) for name in configured]
    for name, _ in doc.raises:
        cls = _resolve(name, namespace)
        if _is_exception(cls) and cls.__module__ != builtins.__name__ and _can_cross(cls):
            found.append(cls)
    return tuple(dict.fromkeys(catalogue.message(cls).name for cls in found))


def read_error(cls: type[BaseException], catalogue: Catalogue) -> None:
    """Read an exception that the catalogue has noted; its refusals go there too."""
    name = qualified(cls)
    place = catalogue.places[name]
    try:
        _check_code(cls)
        hints = _fields(cls)
    except Unsupported as error:
        return catalogue.refuse(error.at(place))
    except NameError as error:
        return catalogue.refuse(undefined(error).at(place))
    except Exception as error:
        # An annotation is an expression of the user's, and can raise anything.
        return catalogue.refuse(unreadable(error).at(place))
    text = class_doc(cls)
    parsed = read_docstring(text)
    docs = dict(parsed.params)
    if docs:
        text = "\n\n".join(part for part in (parsed.summary, parsed.description) if part)
    fields = []
    for number, (field, hint) in enumerate(hints.items(), 1):
        if read := _field(cls, field, hint, number, docs.get(field, ""), catalogue):
            fields.append(read)
    catalogue.messages[name] = Message(name, "", "", "error", tuple(fields), text, cls.__module__)


def _field(
    cls: type, name: str, hint: Any, number: int, doc: str, catalogue: Catalogue
) -> Field | None:
    place = source.field_place(cls, name)
    catalogue.parts[qualified(cls), name] = place
    context = Context(
        catalogue=catalogue,
        place=place,
        module=cls.__module__,
        path=f"{cls.__qualname__}.{name}",
        namespace=vars(sys.modules[cls.__module__]),
    )
    try:
        override = context.override()
        type_ = read_type(hint if override is None else override, context)
        check_name(name)
    except Unsupported as error:
        catalogue.refuse(error.at(place))
        return None
    proto, elixir = names.proto_field(name), names.elixir_field(name)
    return Field(name, number, type_, Required(), doc, proto, elixir)


def _fields(cls: type[BaseException]) -> dict[str, Any]:
    """The annotations of what instances hold: those of the class, and of parameters of its
    constructors that become attributes of the same name."""
    hints = {
        name: hint
        for name, hint in typing.get_type_hints(cls, include_extras=True).items()
        if typing.get_origin(hint) is not typing.ClassVar and hint is not typing.ClassVar
    }
    if dataclasses.is_dataclass(cls):
        return {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    for owner in reversed(cls.__mro__):
        constructor = vars(owner).get("__init__")
        if inspect.isfunction(constructor):
            typed = typing.get_type_hints(constructor, include_extras=True)
            kept = set(source.assigned_attributes(owner, "__init__"))
            hints |= {n: h for n, h in typed.items() if n in kept and n not in hints}
    return {
        name: hint
        for name, hint in hints.items()
        if name not in _NOT_FIELDS and not name.startswith("_")
    }


def _check_code(cls: type[BaseException]) -> None:
    code = getattr(cls, "grpc_code", None)
    if code is not None and getattr(code, "name", code) not in declared_by.CODES:
        raise Unsupported(
            f"its `grpc_code` is {code!r}, which is no gRPC code",
            f"write one of {', '.join(declared_by.CODES)}, as a str or a `grpc.StatusCode`",
        )


def _can_cross(cls: type[BaseException]) -> bool:
    """Whether everything that an exception holds has a type here."""
    trial = Catalogue()
    try:
        trial.message(cls)
    except Unsupported:
        return False
    read_pending(trial)
    return not trial.refusals


def read_pending(catalogue: Catalogue) -> None:
    """Read the classes that the catalogue has noted, and those that they lead to."""
    while catalogue.pending:
        read_next(catalogue)


def read_next(catalogue: Catalogue) -> None:
    """Read the first of the classes that the catalogue has noted."""
    cls = catalogue.pending.pop(0)
    if isinstance(cls, type) and issubclass(cls, BaseException):
        read_error(cls, catalogue)
    else:
        read_message(cls, catalogue)


def _configured(name: str, namespace: Mapping[str, Any]) -> type[BaseException]:
    """An exception by its name in the function's module, or by its qualified name."""
    found = _resolve(name, namespace)
    if found is None and "." in name:
        module, _, local = name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), local, None)
        except ImportError:
            found = None
    if not _is_exception(found):
        raise Unsupported(
            f"the configuration says that it raises `{name}`, which is no exception class",
            "name one of its module, or one with its module: `shop.errors.OutOfStock`",
        )
    return found


def _resolve(name: str, namespace: Mapping[str, Any]) -> Any:
    first, *rest = name.split(".")
    found = namespace.get(first, getattr(builtins, first, None))
    for part in rest:
        found = getattr(found, part, None)
    return found


def _is_exception(value: Any) -> typing.TypeGuard[type[BaseException]]:
    return isinstance(value, type) and issubclass(value, BaseException)
