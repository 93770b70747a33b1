"""The ``.proto`` files that a contract's own one imports.

protobuf's well-known files are part of every protoc and buf. The others are written beside the
contract's, so that what is generated needs nothing else.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from functools import cache

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.type import date_pb2, timeofday_pb2

from synapse_bridge.contract import Contract, Type
from synapse_bridge.contract.reach import types
from synapse_bridge.contract.registry import row
from synapse_bridge.contract.types import parts
from synapse_bridge.generate import validation
from synapse_bridge.generate.descriptor_text import proto_text
from synapse_bridge.v1 import types_pb2

_BUILT_IN = "google/protobuf/"
_SHIPPED = {
    module.DESCRIPTOR.name: module.__name__ for module in (date_pb2, timeofday_pb2, types_pb2)
}
"""The modules beside which the files lie, by the files' names."""

_BUF = """\
version: v2
lint:
  use:
    - STANDARD
  ignore:
"""
_FOREIGN = ("buf", "google")
"""Folders of files whose style is not ours."""


def imports(contract: Contract, *, rules: bool) -> list[str]:
    """The files that have to be imported, in order; with ``rules`` that of protovalidate's."""
    found = {file for type_ in types(contract) for file in _within(type_)}
    return sorted(found | ({validation.FILE} if rules and validation.used(contract) else set()))


def shipped(contract: Contract) -> dict[str, str]:
    """The text of those that do not come with protoc, by name."""
    files = imports(contract, rules=True)
    return {file: _text(file) for file in files if not file.startswith(_BUILT_IN)}


def buf_module(contract: Contract) -> dict[str, str]:
    """``buf.yaml`` where files of others lie beside the contract's: their style is not ours."""
    folders = {file.partition("/")[0] for file in shipped(contract)}
    ignored = [f"    - {folder}\n" for folder in _FOREIGN if folder in folders]
    return {"buf.yaml": _BUF + "".join(ignored)} if ignored else {}


def _within(type_: Type) -> Iterator[str]:
    if file := row(type_).proto_import:
        yield file
    for part in parts(type_).values():
        yield from _within(part)


@cache
def _text(file: str) -> str:
    if file == validation.FILE:
        return _rules()
    package = _SHIPPED[file].rpartition(".")[0]
    name = file.rpartition("/")[2]
    return importlib.resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _rules() -> str:
    """The definition of protovalidate's rules, of which its distribution has the descriptor."""
    import protovalidate  # where a contract has constraints; it is large

    descriptor = protovalidate.ViolationPb.desc().file.proto.to_binary()
    return proto_text(FileDescriptorProto.FromString(descriptor))
