"""Python modules from ``.proto`` files, by the protoc that grpcio-tools carries."""

from __future__ import annotations

import importlib.resources
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs


class ProtocError(Exception):
    """protoc refused a generated file: a fault of the generator, not of its user."""


def compile_python(files: Mapping[str, str], imported: Mapping[str, str]) -> dict[str, str]:
    """``<stem>_pb2.py`` and ``.pyi`` of every file ``<stem>.proto``, by file name.

    The first file has the service, so of that one there is ``<stem>_pb2_grpc.py``, too.
    ``imported`` are the texts of files that these import and protoc does not have. Their Python
    modules come with the packages that ship the files.

    The files are compiled from the top of a temporary folder, so that the modules import each other
    flat: ``import <stem>_pb2`` works wherever their folder is on ``sys.path``.
    """
    stems = [name.removesuffix(".proto") for name in files]
    names = [f"{stem}_pb2.py{ending}" for stem in stems for ending in ("", "i")]
    names.append(f"{stems[0]}_pb2_grpc.py")
    with tempfile.TemporaryDirectory(prefix="synapse_bridge-") as folder:
        for name, text in {**files, **imported}.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        well_known = importlib.resources.files("grpc_tools") / "_proto"
        arguments = ["protoc", f"-I{folder}", f"-I{well_known}", *outputs, *files]
        if protoc.main(arguments) != 0:
            raise ProtocError(f"protoc refused {', '.join(files)}; its messages are on stderr")
        modules = {name: Path(folder, name).read_text(encoding="utf-8") for name in names}
    for name in names:
        if name.endswith(".pyi"):
            # protoc writes Mapping without type arguments, and imports what Google ships without
            # types; mypy refuses both when it is strict.
            modules[name] = (
                '# mypy: disable-error-code="type-arg, import-untyped"\n' + modules[name]
            )
    return modules
