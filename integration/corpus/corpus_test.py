"""Values of a sample of real models go to Elixir and come back equal."""

from __future__ import annotations

from pathlib import Path

import pytest
from carriers import models_of
from check_corpus import PACKAGES
from checks import check
from elixir_echo import available

MODELS = {
    "openai.types": 50,
    "mcp_types": 70,
    "openapi_pydantic": 55,
    "geojson_pydantic": 13,
    "stac_pydantic": 35,
}
"""How many models of each package; all go through one bridge, so that it is compiled at once."""


def test_values_of_real_models_come_back_equal(tmp_path: Path) -> None:
    if not available():
        pytest.skip("Elixir is not installed here: apt-get install elixir erlang-ssl")
    assert set(MODELS) == set(PACKAGES)
    found = [models_of(package).sample(size, seed=1) for package, size in MODELS.items()]
    classes = [cls for models in found for cls in models.classes]
    outcome = check("corpus_sample", classes, tmp_path, each=3, seed=1, seconds=600)
    assert not outcome.failures, "\n".join(map(str, outcome.failures.values()))
    assert outcome.values > 2 * len(classes)


def test_few_models_are_refused() -> None:
    """Two that hold a class, and one that pydantic itself refuses before Python 3.12."""
    refused = {package: models_of(package).refused for package in PACKAGES}
    assert refused == dict.fromkeys(PACKAGES, 0) | {"openapi_pydantic": 3}
