"""A bridge of a benchmark's own module: generated, compiled and served."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BOOT_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Served:
    """Where a server listens, on loopback, and its process."""

    port: int
    pid: int


def environment(sources: Path) -> dict[str, str]:
    """This process's, with the modules in ``sources`` and the tool on Python's path."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(sources), str(ROOT / "src")))}


def build(selection: str, sources: Path, folder: Path) -> Path:
    """Generates the bridge of a selection, ``--module=M``, in ``folder``.

    Returns where the compiled modules of its Elixir client are, with the runtime's.
    """
    subprocess.run(
        [
            *(sys.executable, "-m", "synapse_bridge", "generate"),
            *(selection, f"--out={folder / 'bridge'}"),
        ],
        env=environment(sources),
        check=True,
    )
    ebin = folder / "ebin"
    ebin.mkdir()
    for package in (ROOT / "elixir" / "synapse_bridge", folder / "bridge" / "elixir"):
        files = sorted(str(path) for path in (package / "lib").rglob("*.ex"))
        subprocess.run(["elixirc", "-pa", str(ebin), "-o", str(ebin), *files], check=True)
    return ebin


@contextmanager
def served(folder: Path, sources: Path) -> Iterator[Served]:
    """The server of the bridge in ``folder``, which runs within."""
    (program,) = (folder / "bridge" / "python").glob("*_server.py")
    port_file = folder / "port"
    with subprocess.Popen(
        [
            *(sys.executable, program),
            *("--port=0", f"--port-file={port_file}", "--exit-with-parent"),
        ],
        env=environment(sources),
        stdin=subprocess.PIPE,
    ) as server:
        try:
            end = time.monotonic() + BOOT_SECONDS
            while not port_file.exists():
                if server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the server did not get ready")
                time.sleep(0.02)
            yield Served(int(port_file.read_text()), server.pid)
        finally:
            server.kill()
