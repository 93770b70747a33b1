"""Loading the user's module, and saying well what goes wrong there."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import pkgutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from synapse_bridge.introspect.refusal import IntrospectionError
from synapse_bridge.introspect.source import display

_OURS = str(Path(__file__).parent)


def load(target: str) -> tuple[ModuleType, str, Any]:
    """Import ``module`` or ``module:object``; gives the module, the object's path and the object.

    What the module prints while it is imported goes to stderr, so that it cannot mix with output
    that another program reads.
    """
    name, _, path = target.partition(":")
    if not all(part.isidentifier() for part in name.split(".")):
        raise IntrospectionError(
            f"`{name}` is not the name of a module\n"
            "  → write it as an import does: `my_module`, `package.module` or `module:object`"
        )
    with contextlib.redirect_stdout(sys.stderr):
        module = _import(name)
    value: Any = module
    for part in path.split(".") if path else ():
        if not hasattr(value, part):
            raise IntrospectionError(
                f"{display(module.__file__)}: `{name}` has no `{path}`"
                + suggestion(part, [n for n in dir(value) if not n.startswith("_")])
            )
        value = getattr(value, part)
    return module, path, value


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` – did you mean `x`?`` where something known is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"\n  → did you mean `{near[0]}`?" if near else ""


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise IntrospectionError(_missing(name, error.name)) from None
        raise IntrospectionError(_failed(name, error)) from None
    except (Exception, SystemExit) as error:
        raise IntrospectionError(_failed(name, error)) from None


def _missing(name: str, missing: str) -> str:
    parent, _, last = missing.rpartition(".")
    if parent:
        paths = list(getattr(sys.modules.get(parent), "__path__", ()))
        if not paths:
            return f"there is no module `{name}`: `{parent}` is a module, not a package"
    else:
        paths = [entry for entry in sys.path if Path(entry or ".").is_dir()]
    known = {found.name for found in pkgutil.iter_modules(paths)}
    near = difflib.get_close_matches(last, known, n=1)
    message = f"there is no module `{missing}`"
    if missing != name:
        message += f" (on the way to `{name}`)"
    if near:
        right = f"{parent}.{near[0]}" if parent else near[0]
        return f"{message}\n  → did you mean `{right}`?"
    return f"{message}\n  → looked in: {', '.join(display(path or '.') for path in paths)}"


def _failed(name: str, error: BaseException) -> str:
    """The error of the user's own code, with the frames that are the user's."""
    report = traceback.TracebackException.from_exception(error)
    _trim(report)
    if isinstance(error, SystemExit):
        hint = 'the module exits while it is imported; guard that with `if __name__ == "__main__":`'
    elif type(error).__module__.startswith("pydantic_ai."):
        hint = (
            "where no key is at hand, an agent waits for its model until it runs: "
            "`Agent(…, defer_model_check=True)`"
        )
    else:
        hint = "the module must be importable: `python -c 'import " + name + "'` shows the same"
    return f"importing `{name}` failed:\n\n{''.join(report.format()).rstrip()}\n\n  → {hint}"


def _trim(report: traceback.TracebackException | None) -> None:
    while report is not None:
        report.stack = traceback.StackSummary.from_list(
            frame for frame in report.stack if _is_users(frame.filename)
        )
        _trim(report.__cause__)
        report = report.__context__


def _is_users(file: str) -> bool:
    return not (
        file.startswith((_OURS, "<frozen importlib"))
        or Path(file).parent == Path(importlib.__file__).parent
    )
