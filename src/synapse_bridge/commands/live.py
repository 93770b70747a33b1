"""The service of a module that was never generated to a folder of the user's."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from synapse_bridge.contract.model import Contract
from synapse_bridge.output import write_folder

if TYPE_CHECKING:
    from synapse_bridge.serve import Service


def live(contract: Contract) -> Service:
    """Generate, and load what was generated; the folder is gone afterwards."""
    # protoc and gRPC take a while, and other commands do without them.
    from synapse_bridge import serve
    from synapse_bridge.generate import generate

    with TemporaryDirectory(prefix="synapse_bridge-") as folder:
        write_folder(Path(folder, "out"), generate(contract))
        server = Path(folder, "out", "python", f"{contract.service.stem}_server.py")
        return serve.load(str(server))
