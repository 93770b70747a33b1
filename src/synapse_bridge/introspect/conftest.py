"""Modules for the tests of introspection: written as a user would, and imported."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synapse_bridge.contract.model import Contract
from synapse_bridge.introspect import IntrospectionError, introspect

_NUMBERS = itertools.count(1)

Write = Callable[[str], str]
Read = Callable[[str], Contract]
Refuse = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module and gives its name; no two tests share one."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    written: list[str] = []

    def write(source: str) -> str:
        name = f"module_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), "utf-8")
        importlib.invalidate_caches()
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def read(write: Write) -> Read:
    """The contract of a module's source."""

    def read(source: str) -> Contract:
        return introspect(write(source))

    return read


@pytest.fixture
def refuse(write: Write) -> Refuse:
    """What introspection says against a module's source; its file is called ``m.py`` in it."""

    def refuse(source: str) -> str:
        name = write(source)
        with pytest.raises(IntrospectionError) as caught:
            introspect(name)
        return str(caught.value).replace(name, "m")

    return refuse
