"""Which functions of a module, or methods of an instance, are bridged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from synapse_bridge.introspect import source
from synapse_bridge.introspect.loading import suggestion
from synapse_bridge.introspect.refusal import IntrospectionError

Function = Callable[..., Any]


def select(
    module: ModuleType,
    path: str,
    owner: Any,
    wanted: Sequence[str],
    parts: Sequence[Any] = (),
) -> dict[str, Function]:
    """The functions to bridge, by name: those wanted, else ``__all__``, else the public typed ones.

    A function is typed if it has at least one annotation, so that one half-written is refused
    rather than overlooked. ``parts`` are functions that belong to agents of the module: they are
    chosen by name only, and a module that has some needs no others.
    """
    where = source.display(module.__file__)
    what = f"{module.__name__}:{path}" if path else module.__name__
    if isinstance(owner, type):
        raise IntrospectionError(
            f"{where}: `{what}` is a class\n"
            f"  → name an instance of it: `{path.lower()} = {path}(…)` in the module, "
            f"then `{module.__name__}:{path.lower()}`"
        )
    if path and _function(owner):
        raise IntrospectionError(
            f"{where}: `{what}` is a function\n  → `--module {module.__name__} --function {path}`"
        )
    available = _available(module, owner, path)
    if wanted:
        return {name: _wanted(name, available, owner, f"{where}: `{what}`") for name in wanted}
    declared = None if path else getattr(module, "__all__", None)
    if declared is not None:
        chosen = {n: f for n in declared if (f := _function(getattr(module, n, None)))}
    else:
        chosen = {
            name: function
            for name, function in available.items()
            if not name.startswith("_") and _is_typed(function) and function not in parts
        }
    if not chosen and not parts:
        raise IntrospectionError(
            f"{where}: `{what}` has no public function with annotations\n"
            "  → annotate the parameters and the result of those to be called"
        )
    return chosen


def _available(module: ModuleType, owner: Any, path: str) -> dict[str, Function]:
    """Functions defined in the module itself, or the methods of an instance, in source order."""
    if not path:
        return {
            name: value
            for name, value in vars(module).items()
            if _function(value) and source.unwrap(value).__module__ == module.__name__
        }
    found: dict[str, Function] = {}
    for cls in reversed(type(owner).__mro__):
        if cls is object or cls.__module__.partition(".")[0] == "pydantic":
            continue
        for name in vars(cls):
            if not name.startswith("__") and (value := _function(getattr(owner, name, None))):
                found[name] = value
    return found


def _wanted(name: str, available: Mapping[str, Function], owner: Any, what: str) -> Function:
    value = getattr(owner, name, None)
    if function := _function(value):
        return function
    if value is not None:
        kind = "a class" if isinstance(value, type) else f"`{type(value).__name__}`"
        raise IntrospectionError(f"{what}: `{name}` is not a function but {kind}")
    known = [known for known in available if not known.startswith("_")]
    hint = suggestion(name, known)
    if not hint and known:
        hint = f"\n  → it has: {', '.join(f'`{known}`' for known in known)}"
    raise IntrospectionError(f"{what} has no function `{name}`{hint}")


def _function(value: Any) -> Function | None:
    """The value, if it is a function that somebody wrote in Python, perhaps decorated or bound."""
    if not callable(value) or isinstance(value, type):
        return None
    return value if hasattr(source.unwrap(value), "__code__") else None


def _is_typed(function: Function) -> bool:
    return bool(getattr(source.unwrap(function), "__annotations__", None))
