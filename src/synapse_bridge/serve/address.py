"""Where a server listens: a TCP address, or the socket file of a Unix domain socket."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from synapse_bridge.serve.loading import CannotServe

_LONGEST_PATH = 107
"""Bytes of a path in ``sockaddr_un`` on Linux, without the final NUL (unix(7))."""

_NOT_HERE = {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL}
"""The host is none of this machine, or its name says nothing."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """A host, by name or number, and a port; port 0 finds a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """As gRPC takes it: ``127.0.0.1:50051``, ``[::1]:50051``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def try_to_bind(self, *, reuse_port: bool) -> None:
        """Say why an address cannot be had; gRPC itself only says that it cannot."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            address = (self.host, self.port)
            socket.create_server(address, family=family, reuse_port=reuse_port).close()
        except OSError as error:
            raise CannotServe(self.problem(error)) from error

    def problem(self, error: OSError) -> str:
        """Why nobody can listen there, and what to do."""
        reason = (error.strerror or str(error)).partition(" (while ")[0]  # socket repeats us
        told = f"Cannot listen on {self}: {reason}. "
        if error.errno in _NOT_HERE:
            return f"{told}--host and --listen take a name or an address of this machine."
        return (
            f"{told}Stop what listens there, or choose another address with --port or --listen "
            "(--port 0 finds a free port)."
        )

    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


@dataclass(frozen=True, slots=True)
class Unix:
    """A socket file, by its absolute path. Only the user who runs the server may connect."""

    path: Path

    def __str__(self) -> str:
        """As gRPC takes it: ``unix:/run/shop.sock``."""
        return f"unix:{self.path}"

    def make_room(self) -> None:
        """See that the socket can be made, and remove one that a dead server has left."""
        if len(os.fsencode(self.path)) > _LONGEST_PATH:
            raise self._refused(f"the path is longer than {_LONGEST_PATH} bytes")
        if not self.path.parent.is_dir():
            raise self._refused(f"there is no folder {self.path.parent}")
        try:
            if not stat.S_ISSOCK(self.path.lstat().st_mode):
                raise self._refused("there is a file of that name, which is no socket")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.connect(str(self.path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(error.strerror or str(error)) from error
        else:
            raise self._refused("another server listens there")

    def remove(self) -> None:
        """Remove the socket file, after the server that made it has stopped."""
        self.path.unlink(missing_ok=True)

    def problem(self, error: OSError) -> str:
        """Why nobody can listen there."""
        return f"--listen: Cannot listen on {self}: {error.strerror or error}."

    def _refused(self, reason: str) -> CannotServe:
        return CannotServe(f"--listen: Cannot listen on {self}: {reason}.")


Address: TypeAlias = Tcp | Unix


@contextmanager
def private() -> Iterator[None]:
    """Files that are made meanwhile are the user's alone (mode 0600), from their first moment.

    The mask belongs to the whole process, so the block should be short.
    """
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def parse(text: str) -> Address:
    """The address in ``host:port``, ``[::1]:port`` or ``unix:/path``; raises ``ValueError``."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path or path.startswith("//") or "\0" in path:
            raise ValueError("expected unix:/path/of/socket")
        return Unix(Path(path).absolute())
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s/]+)):([0-9]{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise ValueError("expected HOST:PORT, [IPV6]:PORT or unix:/path/of/socket")
    return Tcp(found[1] or found[2], int(found[3]))
