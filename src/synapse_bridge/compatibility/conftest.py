from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synapse_bridge.contract.model import Contract
from synapse_bridge.introspect import Locked, Naming, introspect_locked
from synapse_bridge.lock import EMPTY, ServiceLock

HEAD = """
from __future__ import annotations
import datetime, enum, uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar
from pydantic import BaseModel, Field, computed_field
from typing_extensions import TypedDict
import synapse_bridge
from synapse_bridge import RenamedFrom
"""

_counter = itertools.count(1)


@dataclass(frozen=True)
class Version:
    """A module at one time: its contract, its lock, and the module itself."""

    contract: Contract
    lock: ServiceLock
    module: ModuleType


class History:
    """Versions of one module, which always has the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"history_{next(_counter)}"

    def version(
        self,
        source: str,
        lock: ServiceLock = EMPTY,
        functions: tuple[str, ...] = (),
        naming: Naming | None = None,
        renamed: dict[str, str] | None = None,
    ) -> Version:
        """The version that this source is."""
        names = {f"{self.name}.{new}": old for new, old in (renamed or {}).items()}
        (self.folder / f"{self.name}.py").write_text(HEAD + source, encoding="utf-8")
        self.forget()
        found = introspect_locked(
            self.name, functions, naming or Naming("Shop"), None, None, Locked(lock, names)
        )
        return Version(*found, sys.modules[self.name])

    def forget(self) -> None:
        """Import the module anew the next time."""
        sys.modules.pop(self.name, None)


Start = Callable[[], History]


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module without versions yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = History(tmp_path)
    yield found
    found.forget()
