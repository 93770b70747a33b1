"""What of an installed package could cross the bridge: every model and every typed function of it.

A model is mapped if all that it holds is; one that leads to a refused model is refused with it.
The reasons that are counted are the first causes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import inspect
import pkgutil
import sys
import typing
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import pydantic

from synapse_bridge.contract.model import JSONValue
from synapse_bridge.contract.types import MessageRef, Type, references
from synapse_bridge.introspect import Calls, source
from synapse_bridge.introspect.annotations import read_type
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.exceptions import read_next
from synapse_bridge.introspect.functions import read_function
from synapse_bridge.introspect.loading import load
from synapse_bridge.introspect.reach import qualified
from synapse_bridge.introspect.refusal import Refusal, Unsupported


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is mapped.

    ``cause`` is why not, as it is counted; ``reason`` says where in it the cause is found as well.
    """

    name: str
    reason: str = ""
    cause: str = ""

    @property
    def mapped(self) -> bool:
        """Whether it can cross."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Coverage:
    """The verdicts about a package; ``unimportable`` are modules of it that fail to import."""

    models: tuple[Verdict, ...]
    functions: tuple[Verdict, ...]
    unimportable: Mapping[str, str]

    def reasons(self) -> dict[str, int]:
        """How many models and functions each cause refuses, the commonest first."""
        causes = (one.cause for one in (*self.models, *self.functions) if one.cause)
        return dict(Counter(causes).most_common())

    def to_json(self) -> JSONValue:
        """The whole as JSON."""
        return {
            "models": [_entry(one) for one in self.models],
            "functions": [_entry(one) for one in self.functions],
            "reasons": typing.cast("JSONValue", self.reasons()),
            "unimportable": dict(self.unimportable),
        }


def _entry(verdict: Verdict) -> JSONValue:
    return {"name": verdict.name, "mapped": verdict.mapped, "reason": verdict.reason or None}


def survey(package: str) -> Coverage:
    """The coverage of a package or module; raises ``IntrospectionError`` if there is none."""
    root, _, _ = load(package)
    found, unimportable = modules(root)
    survey_ = _Survey()
    for cls in dict.fromkeys(cls for module in found for cls in models_of(module)):
        survey_.model(cls)
    for module in found:
        for name, function in functions_of(module):
            survey_.function(module.__name__, name, function)
    return Coverage(*survey_.verdicts(), unimportable)


def modules(root: ModuleType) -> tuple[list[ModuleType], dict[str, str]]:
    """A package with all modules in it, and those that cannot be imported with the reason.

    ``__main__`` modules are programs, and left alone.
    """
    found, failed = [root], {}
    prefix = f"{root.__name__}."
    walk = pkgutil.walk_packages(getattr(root, "__path__", ()), prefix, onerror=lambda _: None)
    for info in walk:
        if info.name.rpartition(".")[2] == "__main__":
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):
                found.append(importlib.import_module(info.name))
        except (Exception, SystemExit) as error:
            failed[info.name] = f"{type(error).__name__}: {error}"
    return found, failed


def models_of(module: ModuleType) -> Iterator[type]:
    """The models, dataclasses, typed dicts and named tuples that a module defines, nested too."""
    yield from _models_in(vars(module), module.__name__)


def _models_in(namespace: Mapping[str, Any], module: str, outer: str = "") -> Iterator[type]:
    for name, value in list(namespace.items()):  # which a module may change when it is looked into
        local = f"{outer}{name}"
        if not isinstance(value, type) or value.__module__ != module:
            continue
        if value.__qualname__ != local:
            continue  # another name for it
        if _is_model(value):
            yield value
        yield from _models_in(vars(value), module, f"{local}.")


def _is_model(cls: type) -> bool:
    return (
        issubclass(cls, pydantic.BaseModel)
        or dataclasses.is_dataclass(cls)
        or typing.is_typeddict(cls)
        or typing.is_typeddict(getattr(cls, "__origin__", None))
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    )


def functions_of(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """The public functions with annotations that a public module defines."""
    if any(part.startswith("_") for part in module.__name__.split(".")):
        return
    for name, value in list(vars(module).items()):
        if (
            inspect.isfunction(value)
            and not name.startswith("_")
            and value.__module__ == module.__name__
            and getattr(value, "__annotations__", None)
        ):
            yield name, value


class _Survey:
    def __init__(self) -> None:
        self._catalogue = Catalogue()
        self._models: list[str] = []
        self._functions: dict[str, tuple[str, ...]] = {}
        self._own: dict[str, Refusal | Unsupported] = {}
        self._roots: dict[str, Type] = {}

    def model(self, cls: type) -> None:
        """Read a model and all that it leads to."""
        name = qualified(cls)
        place = source.class_place(cls)
        home = vars(sys.modules[cls.__module__])
        context = Context(self._catalogue, place, cls.__module__, cls.__qualname__, home)
        try:
            type_ = read_type(cls, context)
        except Unsupported as error:
            self._own[name] = error
        else:
            if isinstance(type_, MessageRef):
                name = type_.name
            else:
                self._roots[name] = type_
        self._models.append(name)
        self._read_pending()

    def function(self, module: str, name: str, function: FunctionType) -> None:
        """Read a function and all that it leads to."""
        full = f"{module}.{name}"
        with self._refusals_of(full):
            method = read_function(name, function, module, name, self._catalogue, Calls())
        if method:
            self._functions[full] = (method.request, method.response, *method.raises)
        else:
            self._functions[full] = ()
        self._read_pending()

    def _read_pending(self) -> None:
        while self._catalogue.pending:
            with self._refusals_of(self._catalogue.name_of(self._catalogue.pending[0])):
                read_next(self._catalogue)

    @contextlib.contextmanager
    def _refusals_of(self, name: str) -> Iterator[None]:
        before = len(self._catalogue.refusals)
        yield
        for refusal in self._catalogue.refusals[before:]:
            self._own.setdefault(name, refusal)

    def verdicts(self) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
        """The verdicts about models and about functions."""
        refused = self._spread()
        models = tuple(_verdict(name, [name], refused) for name in self._models)
        functions = tuple(
            _verdict(name, [name, *messages], refused) for name, messages in self._functions.items()
        )
        return models, functions

    def _spread(self) -> dict[str, tuple[str, str]]:
        """Reason and cause for everything that is refused, or leads to what is."""
        refused = {name: _reason(refusal) for name, refusal in self._own.items()}
        leading: dict[str, list[tuple[str, str]]] = {}
        for name, field, target in self._edges():
            leading.setdefault(target, []).append((name, field))
        todo = list(refused)
        while todo:
            target = todo.pop()
            for name, field in leading.get(target, ()):
                if name not in refused:
                    reason, cause = refused[target]
                    refused[name] = (f"`{field}` leads to {target}: {reason}", cause)
                    todo.append(name)
        return refused

    def _edges(self) -> Iterator[tuple[str, str, str]]:
        """What leads where: a message or union, the field or member, and what is named there."""
        for message in self._catalogue.messages.values():
            for field in (*message.fields, *([message.extra] if message.extra else [])):
                for ref in references(field.type):
                    yield message.name, field.name, ref.name
        for name, type_ in self._roots.items():
            for ref in references(type_):
                yield name, "root", ref.name
        for union in self._catalogue.unions.values():
            for member in union.members:
                for ref in references(member.type):
                    yield union.name, member.name, ref.name


def _reason(refusal: Refusal | Unsupported) -> tuple[str, str]:
    if isinstance(refusal, Unsupported):
        return refusal.reason, refusal.reason
    return f"{refusal.place.subject}: {refusal.reason}", refusal.reason


def _verdict(name: str, parts: Iterable[str], refused: Mapping[str, tuple[str, str]]) -> Verdict:
    found = next((refused[part] for part in parts if part in refused), None)
    return Verdict(name, *found) if found else Verdict(name)
