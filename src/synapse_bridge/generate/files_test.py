"""Contracts whose files would be too long: several files, which are worth the same."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synapse_bridge.contract import Contract
from synapse_bridge.contract.schema import contract_hash
from synapse_bridge.generate import proto_files, proto_imports, protoc, python_files
from synapse_bridge.introspect import introspect

MODULE = '''
"""A catalogue."""

import datetime
from enum import Enum

from pydantic import BaseModel, Field, SecretStr


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    """The string "Branch" and Any do not count here."""

    at: datetime.datetime
    colour: Colour = Colour.RED


class Branch(BaseModel):
    leaves: list[Leaf]
    trees: "dict[str, Tree]" = {}


class Tree(BaseModel):
    branches: list[Branch]
    secret: SecretStr | None = None
    either: Leaf | int | None = None


class Lonely(BaseModel):
    number: int = Field(ge=0)


def grow(tree: Tree, lonely: Lonely) -> Tree:
    """Grows."""
    return tree


def count(tree: Tree) -> int:
    return len(tree.branches)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    (folder / "catalogue.py").write_text(textwrap.dedent(MODULE))
    sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="module")
def contract(folder: Path) -> Contract:
    return introspect("catalogue")


@pytest.fixture(scope="module")
def server(folder: Path, contract: Contract) -> ModuleType:
    """The server in as many files as possible."""
    protos = proto_files.emit(contract, rules=False, flat=True, most=1)
    modules = protoc.compile_python(protos, proto_imports.shipped(contract))
    stems = proto_files.stems(protos)
    modules |= python_files.emit(contract, contract_hash(contract), stems, most=1)
    for name, text in modules.items():
        (folder / name).write_text(text)
    return importlib.import_module("catalogue_server")


def test_definitions_that_need_each_other_share_a_file(contract: Contract) -> None:
    files = proto_files.emit(contract, most=1)
    (together,) = (text for text in files.values() if "message Tree {" in text)
    assert "message Branch {" in together
    assert "message Leaf {" not in together
    assert "message Lonely {" not in together
    assert "service" in files["catalogue/v1/catalogue.proto"]


def test_a_file_imports_what_it_uses_and_no_more(contract: Contract) -> None:
    for path, text in proto_files.emit(contract, most=1).items():
        assert ("timestamp.proto" in text) == (" google.protobuf.Timestamp " in text), path
        assert ("validate.proto" in text) == ("buf.validate." in text.partition("\n\n")[2]), path
        assert f'import "{path}"' not in text


def test_a_server_in_many_files_converts_as_one_in_one(server: Any) -> None:
    method = next(one for one in server.SERVICE.methods if one.name == "Grow")
    leaf = server.pb.Leaf(colour=server.pb.COLOUR_BLUE)
    leaf.at.FromJsonString("2026-01-02T03:04:05Z")
    tree = server.pb.Tree(branches=[server.pb.Branch(leaves=[leaf])])
    arguments = method.arguments(server.pb.GrowRequest(tree=tree, lonely={"number": 3}))
    read = server.catalogue.Tree.model_validate(arguments["tree"])
    assert read.branches[0].leaves[0].colour.value == "blue"
    assert method.response(read).result == tree
    assert server.SERVICE.file.services_by_name["CatalogueService"]


def test_the_files_please_the_linter(folder: Path, server: ModuleType) -> None:
    files = [*folder.glob("catalogue_*_[0-9].py"), *folder.glob("catalogue_server.py")]
    files += [*folder.glob("catalogue_messages.py")]
    assert len(files) > 5
    for command in (("check", "--select", "E,F,W"), ("format", "--check", "--line-length", "88")):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                command[0],
                "--isolated",
                *command[1:],
                *map(str, files),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
