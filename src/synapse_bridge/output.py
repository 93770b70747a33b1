"""Writing a folder of generated files: all of it or nothing.

The files are written to a folder beside the old one and renamed into its place. What is in the old
folder and was not written by this tool (build results, say) stays; a list of what was written is
kept in :data:`LIST`.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import FrameType

LIST = ".synapse_bridge"
_HEADING = "# Written by synapse_bridge, which replaces these files:\n"


class OutputError(Exception):
    """The folder cannot be written. The message says why and what to do."""


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Make ``folder`` hold ``files`` (contents by relative path).

    Raises :class:`OutputError`, and then nothing has changed.
    """
    folder = Path(os.path.realpath(folder))
    kept = _foreign(folder)
    _check_room(folder, kept, files)
    new = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        with _terminated_as_interrupt():
            _write(new, files)
            _exchange(folder, new, old, kept)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_file(path: Path, text: str) -> None:
    """Write one file, all of it or nothing; raises :class:`OutputError`."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")  # a pipe or device, such as /dev/stdout
            return
        new.write_text(text, "utf-8")
        new.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            new.unlink()


def _foreign(folder: Path) -> list[PurePosixPath]:
    """What is in the folder and was not written by this tool."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file\n  → name a folder with `--out`")
    found = [path.relative_to(folder) for path in _files(folder)]
    ours = _listed(folder)
    if ours is None:
        if found:
            raise OutputError(
                f"{folder} holds files that synapse_bridge did not write, such as {min(found)}\n"
                "  → name another folder with `--out`, or empty this one"
            )
        return []
    return [PurePosixPath(path.as_posix()) for path in found if path.as_posix() not in ours]


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        else:
            yield entry


def _listed(folder: Path) -> set[str] | None:
    try:
        text = (folder / LIST).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return {LIST, *(line for line in text.splitlines() if not line.startswith("#"))}


def _check_room(folder: Path, kept: list[PurePosixPath], files: Mapping[str, object]) -> None:
    """Refuse to write over a file that is not ours."""
    wanted = {PurePosixPath(name) for name in files}
    within = {parent for name in wanted for parent in name.parents}
    for path in kept:
        if path in wanted or path in within or wanted & set(path.parents):
            raise OutputError(
                f"{folder / path} was not written by synapse_bridge, and is in its way\n"
                "  → move it, or name another folder with `--out`"
            )


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    listed = _HEADING + "".join(f"{name}\n" for name in sorted(files))
    for name, content in {**files, LIST: listed}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def _exchange(folder: Path, new: Path, old: Path, kept: list[PurePosixPath]) -> None:
    """Rename the new folder into place, and bring along what stays of the old one."""
    with _uninterrupted():
        if not folder.exists():
            new.rename(folder)
            return
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        for path in kept:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            (old / path).rename(target)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """SIGTERM cleans up as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handling(signal.SIGTERM, stop):
        yield


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off signals while the folder is between its old and its new state."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def _handling(
    number: signal.Signals, handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
