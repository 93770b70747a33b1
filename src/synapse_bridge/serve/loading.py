"""Finding the service of a generated server."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

from synapse_bridge.serve.service import Service


class CannotServe(Exception):
    """A server cannot start. The text says why and what to do, for the person who started it."""


def load(server: str) -> Service:
    """The ``SERVICE`` of a generated server, given as a module name or the path of its file.

    A file's folder is put first on ``sys.path``, where its ``_pb2`` modules are. Raises
    :class:`CannotServe` if the server, or a user's module that it imports, cannot be imported.
    """
    name = server
    if server.endswith(".py"):
        path = Path(server).resolve()
        if not path.is_file():
            raise CannotServe(f"{server} is not there. Was the server generated to another folder?")
        sys.path.insert(0, str(path.parent))
        name = path.stem
    try:
        module = importlib.import_module(name)
    except Exception as error:
        raise CannotServe(_import_failure(name, error)) from error
    service = getattr(module, "SERVICE", None)
    if not isinstance(service, Service):
        raise CannotServe(f"{name} ({module.__file__}) is no generated server: it has no SERVICE.")
    return service


def _import_failure(name: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == name:
        return (
            f"There is no module {name}. Its folder must be on PYTHONPATH, or give the file's path."
        )
    report = traceback.TracebackException.from_exception(error)
    report.stack = traceback.StackSummary.from_list(
        frame for frame in report.stack if not _is_machinery(frame.filename)
    )
    return f"{name} cannot be imported:\n\n{''.join(report.format()).rstrip()}"


def _is_machinery(filename: str) -> bool:
    """Whether a frame is the import system's or ours, and tells the user nothing."""
    return filename in (__file__, importlib.__file__) or filename.startswith("<frozen importlib")
