"""Files that may be changed while the server runs: tokens, keys, certificates."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from synapse_bridge.serve.loading import CannotServe

LOG = logging.getLogger("synapse_bridge.serve")
T = TypeVar("T")
_Stamp = tuple[int, int, int]


class Watched(Generic[T]):
    """What ``read`` makes of some files, read again whenever one of them has changed.

    The first reading raises what ``read`` raises: :class:`CannotServe`. Later, files that cannot be
    used are told in the log once, and what was read before stays.
    """

    def __init__(self, read: Callable[[], T], *files: Path) -> None:
        self._read = read
        self._files = files
        self._stamps = self._look()
        self._value = read()

    def get(self) -> T:
        """What the files say now."""
        self.changed()
        return self._value

    def changed(self) -> bool:
        """Whether there is something new since the last look, which is read then."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        try:
            self._value = self._read()
        except CannotServe as error:
            LOG.error("what was read before stays in use: %s", error)
            return False
        LOG.info("read again: %s", ", ".join(map(str, self._files)))
        return True

    def _look(self) -> tuple[_Stamp | None, ...]:
        return tuple(map(_stamp, self._files))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_file(path: Path, option: str) -> bytes:
    """The contents of the file that an option names; raises :class:`CannotServe`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotServe(f"{option}: {path} cannot be read: {error.strerror}") from None
