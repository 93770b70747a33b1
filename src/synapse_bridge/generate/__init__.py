"""From a contract to text: ``.proto``, Python server, Elixir client. Nothing else is touched."""

from __future__ import annotations

from synapse_bridge.contract import Contract
from synapse_bridge.contract.schema import contract_hash, to_json
from synapse_bridge.garbage import collected_seldom
from synapse_bridge.generate import elixir, proto_files, proto_imports, protoc, python_files

__all__ = ["generate"]


@collected_seldom()
def generate(contract: Contract) -> dict[str, str | bytes]:
    """Every file of a service, by its path: equal contracts give equal bytes.

    ``contract.json``, ``proto/…`` (the service's file, and those that it imports), ``python/…``
    (protobuf's modules and the server) and ``elixir/…`` (a Mix package). Apart from protoc, which
    writes to a temporary folder, nothing is written.
    """
    fingerprint = contract_hash(contract)
    files: dict[str, str | bytes] = {"contract.json": to_json(contract)}
    imported = proto_imports.shipped(contract)
    schema = proto_files.emit(contract) | imported | proto_imports.buf_module(contract)
    for name, text in schema.items():
        files[f"proto/{name}"] = text
    # The server checks constraints itself, and shall not need protovalidate to be imported.
    served = proto_files.emit(contract, rules=False, flat=True)
    modules = protoc.compile_python(served, imported)
    modules |= python_files.emit(contract, fingerprint, proto_files.stems(served))
    for name, text in modules.items():
        files[f"python/{name}"] = text
    for name, text in elixir.emit(contract, fingerprint).items():
        files[f"elixir/{name}"] = text
    return files
