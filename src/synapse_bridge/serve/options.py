"""How to serve."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from synapse_bridge.serve.address import Address, Tcp


def _default_threads() -> int:
    # Like concurrent.futures: room for blocking calls without a crowd around the GIL.
    return min(32, (os.cpu_count() or 1) + 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a server; the command line has one option for each.

    ``listen`` goes before ``host`` and ``port``. ``grace`` is in seconds, ``max_message`` in bytes,
    for requests and for responses. ``transport`` is what carries the calls:
    :mod:`synapse_bridge.serve.transport`.
    """

    listen: Address | None = None
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    debug: bool = False
    max_workers: int = field(default_factory=_default_threads)
    max_message: int = 64 * 1024 * 1024
    grace: float = 30.0
    reuse_port: bool = False
    transport: Literal["http2", "grpcio"] = "http2"
    exit_with_parent: bool = False

    @property
    def address(self) -> Address:
        """Where to listen."""
        return self.listen or Tcp(self.host, self.port)
