from __future__ import annotations

from pathlib import Path

import pytest

from synapse_bridge.generate.testing import run


@pytest.fixture(scope="session")
def elixir_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled Elixir runtime, which generated clients lean on."""
    sources = Path(__file__).parents[3] / "elixir" / "synapse_bridge" / "lib"
    if not sources.is_dir():
        pytest.skip("needs the sources of the Elixir runtime")
    folder = tmp_path_factory.mktemp("runtime")
    run("elixirc", "-o", folder, *sorted(sources.glob("**/*.ex")), cwd=folder)
    return folder
