from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_bridge import __main__ as command

Run = Callable[..., "tuple[int, str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command line in an empty folder; gives its exit code, and all that it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        environment = os.environ | {
            "PYTHONPATH": str(Path(command.__file__).parents[1]),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            [sys.executable, "-B", "-m", "synapse_bridge", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    return run
