"""Values survive the converters of a generated server: to the wire, through bytes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import CASES, Case, importable, load
from synapse_bridge.serve.arguments import validator

_WITH_EXAMPLES = [case for case in CASES.values() if case.row]


@pytest.fixture(scope="module", params=_WITH_EXAMPLES, ids=lambda case: case.name)
def modules(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The user's module and the generated server of a case, imported."""
    case: Case = request.param
    folder: Path = tmp_path_factory.mktemp(case.name)
    for path, text in generate(case.contract()).items():
        if path.startswith("python/"):
            assert isinstance(text, str)
            (folder / path.removeprefix("python/")).write_text(text, encoding="utf-8")
    with importable(case.folder, folder):
        yield load(case.module), load(f"{case.contract().service.stem}_server")


def _echoes(server: ModuleType, value: object) -> Any:
    """The method ``echo…`` that takes and returns values of this class."""
    for method in server.SERVICE.methods:
        if method.function.__annotations__.get("value") in (type(value), type(value).__name__):
            return method
    raise AssertionError(f"no echo of {type(value)}")


def test_examples_come_back_as_they_were(modules: tuple[ModuleType, ModuleType]) -> None:
    module, server = modules
    assert module.EXAMPLES
    for value in module.EXAMPLES:
        method = _echoes(server, value)
        sent = method.response(value).SerializeToString()
        # The result of an echo and its parameter are both field 1.
        arguments = method.arguments(method.request.FromString(sent))
        received = validator(method.function)(arguments)["value"]
        assert received == value
        if "Union" in (server.__doc__ or ""):
            assert repr(received) == repr(value)


def test_what_was_not_sent_is_not_there(modules: tuple[ModuleType, ModuleType]) -> None:
    """So that Python's own default applies; only what is empty on the wire reads as empty."""
    _, server = modules
    for method in server.SERVICE.methods:
        for name, value in method.arguments(method.request()).items():
            assert value in (None, [], {}), name
