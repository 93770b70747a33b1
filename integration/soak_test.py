"""The soak, short: no call is lost or repeated at 70 % load, and memory is flat."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from samples import ROOT, python_environment

SOAK = ROOT / "benchmarks" / "soak" / "soak.py"

MINUTES = 2.0
"""Of load. The command itself runs for an hour."""


@pytest.mark.skipif(shutil.which("elixirc") is None, reason="needs Elixir (apt-get install elixir)")
def test_two_minutes_of_load() -> None:
    done = subprocess.run(
        [sys.executable, SOAK, f"--minutes={MINUTES}"],
        env=python_environment(SOAK.parents[1]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MINUTES * 60 + 240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "flat, and no call lost or repeated" in done.stdout
