"""From a contract to text: ``.proto``, Python server, Elixir client. Nothing else is touched."""

from __future__ import annotations

from synapse_bridge.contract import Contract
from synapse_bridge.contract.schema import contract_hash, to_json
from synapse_bridge.generate import elixir, proto, proto_imports, protoc, python

__all__ = ["generate"]


def generate(contract: Contract) -> dict[str, str | bytes]:
    """Every file of a service, by its path: equal contracts give equal bytes.

    ``contract.json``, ``proto/…`` (one file, and those that it imports), ``python/…`` (protobuf's
    modules and the server) and ``elixir/…`` (a Mix package). Apart from protoc, which writes to a
    temporary folder, nothing is written.
    """
    stem = contract.service.stem
    fingerprint = contract_hash(contract)
    schema = proto.emit(contract)
    files: dict[str, str | bytes] = {
        "contract.json": to_json(contract),
        f"proto/{proto.path(contract)}": schema,
        f"python/{stem}_server.py": python.emit(contract, fingerprint),
    }
    imported = proto_imports.shipped(contract)
    for name, text in (imported | proto_imports.buf_module(contract)).items():
        files[f"proto/{name}"] = text
    # The server checks constraints itself, and shall not need protovalidate to be imported.
    served = proto.emit(contract, rules=False)
    for name, text in protoc.compile_python(stem, served, imported).items():
        files[f"python/{name}"] = text
    for name, text in elixir.emit(contract, fingerprint).items():
        files[f"elixir/{name}"] = text
    return files
