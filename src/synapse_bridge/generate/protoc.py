"""Python modules from a ``.proto``, by the protoc that grpcio-tools carries."""

from __future__ import annotations

import importlib.resources
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs


class ProtocError(Exception):
    """protoc refused a generated file: a fault of the generator, not of its user."""


def compile_python(stem: str, proto: str, imported: Mapping[str, str]) -> dict[str, str]:
    """``<stem>_pb2.py``, ``.pyi`` and ``<stem>_pb2_grpc.py``, by file name.

    ``imported`` are the texts of the files that ``proto`` imports and protoc does not have. Their
    Python modules come with the packages that ship the files.

    The file is compiled from the top of a temporary folder, so that the modules import each other
    flat: ``import <stem>_pb2`` works wherever their folder is on ``sys.path``.
    """
    with tempfile.TemporaryDirectory(prefix="synapse_bridge-") as folder:
        source = Path(folder, f"{stem}.proto")
        for name, text in {source.name: proto, **imported}.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        well_known = importlib.resources.files("grpc_tools") / "_proto"
        arguments = ["protoc", f"-I{folder}", f"-I{well_known}", *outputs, source.name]
        if protoc.main(arguments) != 0:
            raise ProtocError(f"protoc refused {source.name}; its messages are on stderr")
        names = (f"{stem}_pb2.py", f"{stem}_pb2.pyi", f"{stem}_pb2_grpc.py")
        modules = {name: Path(folder, name).read_text(encoding="utf-8") for name in names}
    # protoc writes Mapping without type arguments, which mypy refuses when it is strict.
    stub = f"{stem}_pb2.pyi"
    modules[stub] = '# mypy: disable-error-code="type-arg"\n' + modules[stub]
    return modules
