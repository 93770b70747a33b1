"""The golden cases, for tests: Python modules under ``testdata/golden``, and their contracts."""

from __future__ import annotations

import difflib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from synapse_bridge import config as configuration
from synapse_bridge.contract import Contract
from synapse_bridge.introspect import introspect

BUF = os.environ.get("SYNAPSE_BUF") or shutil.which("buf")
"""buf, where there is one: ``build-support/buf`` gets it."""

GOLDEN = Path(__file__).parent / "testdata" / "golden"


@dataclass(frozen=True)
class Case:
    """A module and what is generated from it; a ``synapse.yaml`` beside it is heeded.

    ``row`` has the rows of the registry that it shows.
    """

    name: str
    target: str
    row: str = ""
    elixir_module: str | None = None

    @property
    def folder(self) -> Path:
        return GOLDEN / self.name

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    def contract(self) -> Contract:
        return _contract(self)


_CASES = (
    Case("greeter", "my_python_module", elixir_module="MyPythonAgent"),
    Case("orders", "orders", elixir_module="MyShop.Orders"),
    Case("booleans", "booleans", row="bool"),
    Case("integers", "integers", row="int64"),
    Case("unsigned", "unsigned", row="uint64"),
    Case("floats", "floats", row="double"),
    Case("strings", "strings", row="string"),
    Case("byte_strings", "byte_strings", row="bytes"),
    Case("numbers", "numbers_", row="bigint decimal"),
    Case("moments", "moments", row="datetime naive_datetime date time timedelta"),
    Case("texts", "texts", row="uuid path url email regex bytearray"),
    Case(
        "addresses",
        "addresses",
        row="ipv4 ipv6 ip ipv4_interface ipv6_interface ip_interface "
        "ipv4_network ipv6_network ip_network",
    ),
    Case("secrets", "secrets_", row="secret_string secret_bytes"),
    Case("anything", "anything", row="any"),
    Case("tensors", "tensors", row="tensor"),
    Case("customs", "customs", row="custom"),
    Case("serializers", "serializers_"),
    Case("lists", "lists", row="list"),
    Case("maps", "maps", row="map"),
    Case("optionals", "optionals", row="nullable"),
    Case("models", "models", row="message"),
    Case("enums", "enums", row="enum"),
    Case("wrappers", "wrappers", row="wrapped"),
    Case("sets", "sets", row="set"),
    Case("tuples", "tuples", row="tuple"),
    Case("unions", "unions", row="union"),
    Case("roots", "roots", row="root"),
    Case("structures", "structures", row="message"),
    Case("generics", "generics", row="message"),
    Case("docstrings", "docstrings"),
    Case("parameters", "parameters:agent"),
    Case("streams", "streams"),
    Case("hostile", "hostile"),
    Case("agents", "my_agents"),
)
CASES = {case.name: case for case in _CASES}


@cache
def _contract(case: Case) -> Contract:
    with importable(case.folder):
        file = configuration.find(case.folder)
        source = configuration.read(file) if file else configuration.Source()
        naming = source.naming(case.target, case.elixir_module)
        agents = source.agents(case.target)
        return introspect(case.target, (), naming, source.overrides(), agents=agents)


@contextmanager
def importable(*folders: Path) -> Iterator[None]:
    """Modules of these folders can be imported, and are forgotten at the end."""
    sys.path[:0] = map(str, folders)
    try:
        yield
    finally:
        del sys.path[: len(folders)]
        for name, module in list(sys.modules.items()):
            if _stands_in(module, folders):
                del sys.modules[name]


def _stands_in(module: ModuleType, folders: tuple[Path, ...]) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).parent in folders


def load(name: str) -> ModuleType:
    """A module that is importable now."""
    return importlib.import_module(name)


_ENVIRONMENT = {
    "ELIXIR_ERL_OPTIONS": "+fnu",  # or Elixir warns where the locale is not UTF-8
    "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
}


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; fails with it unless the command succeeds."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={"HOME": str(cwd), **os.environ, **_ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def check_mix_format(sources: Iterable[Path], cwd: Path) -> None:
    """Has ``mix format`` format the files; fails with the difference if it changes one."""
    settings = cwd / "formatter.exs"
    settings.write_text("[locals_without_parens: [field: :*, member: :*, rpc: :*, value: :*]]\n")
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    run("mix", "format", "--dot-formatter", settings, *texts, cwd=cwd)
    for source, text in texts.items():
        lines = text.split("\n"), source.read_text(encoding="utf-8").split("\n")
        difference = "\n".join(difflib.unified_diff(*lines, "generated", "mix format", lineterm=""))
        assert not difference, f"{source}\n{difference}"
