"""A server as a process of its own, for as long as a block lasts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent


@contextmanager
def listening(
    folder: Path,
    script: Path,
    *arguments: str,
    extra: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> Iterator[tuple[str, int]]:
    """Where a server listens, which says so on its output, and its process.

    ``extra`` goes into its environment; ``quiet`` drops what it writes to standard error.
    """
    server = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=folder,
        env={**environment(folder), **(extra or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    try:
        yield next(line.split()[-1] for line in server.stdout if "listening" in line), server.pid
    finally:
        server.stdin.close()
        server.wait(timeout=20)


def environment(folder: Path) -> dict[str, str]:
    """Where processes find what they import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(HERE), *sys.path])}
