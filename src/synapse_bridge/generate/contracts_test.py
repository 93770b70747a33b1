"""Whatever the contract, its outputs are accepted by protoc, Python, ruff, mix format and elixirc.

A few batches of random contracts: starting Elixir costs more than a batch. More of them::

    CONTRACT_BATCHES=50 python -m pytest src/synapse_bridge/generate/contracts_test.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from synapse_bridge.contract import Contract
from synapse_bridge.generate import generate
from synapse_bridge.generate.strategies import contracts
from synapse_bridge.generate.testing import check_mix_format, run

_BATCH = 4

# Imports a server whose user's module has whatever is asked of it.
_IMPORT = """
import pathlib, runpy, sys, types

class Anything(types.ModuleType):
    def __getattr__(self, name):
        return Anything(f"{self.__name__}.{name}")

for server, module in zip(sys.argv[1::2], sys.argv[2::2]):
    sys.path.insert(0, str(pathlib.Path(server).parent))
    sys.modules[module] = Anything(module)
    assert runpy.run_path(server)["SERVICE"].methods
"""


@pytest.mark.skipif(shutil.which("elixirc") is None, reason="needs Elixir")
@settings(
    max_examples=int(os.environ.get("CONTRACT_BATCHES", "2")),
    derandomize="CONTRACT_BATCHES" not in os.environ,
    phases=(Phase.generate,),  # a batch takes seconds: shrinking would take an hour
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.tuples(*(contracts(f"service_{number}") for number in range(_BATCH))))
def test_random_contracts(elixir_runtime: Path, batch: tuple[Contract, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for contract in batch:
            _write(root, contract)
        _python(root, batch)
        _elixir(root, elixir_runtime)


def _write(root: Path, contract: Contract) -> None:
    for path, text in generate(contract).items():
        target = root / contract.service.stem / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())


def _python(root: Path, batch: tuple[Contract, ...]) -> None:
    servers = sorted(root.glob("*/python/*_server.py"))
    ruff = (sys.executable, "-m", "ruff")
    run(*ruff, "format", "--isolated", "--diff", *servers, cwd=root)
    run(*ruff, "check", "--isolated", *servers, cwd=root)
    pairs = [(root / _server(contract), contract.service.module) for contract in batch]
    run(sys.executable, "-c", _IMPORT, *(part for pair in pairs for part in pair), cwd=root)


def _server(contract: Contract) -> str:
    stem = contract.service.stem
    return f"{stem}/python/{stem}_server.py"


def _elixir(root: Path, runtime: Path) -> None:
    sources = sorted(root.glob("*/elixir/lib/**/*.ex"))
    check_mix_format([*sources, *root.glob("*/elixir/mix.exs")], root)
    beams = root / "beams"
    beams.mkdir()
    flags = ("--warnings-as-errors", "-pa", runtime, "-o", beams)
    assert run("elixirc", *flags, *sources, cwd=root) == ""
