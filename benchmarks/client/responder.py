"""The fast server that clients are measured against: ``nghttpd`` with one prepared answer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUEST = b"hello"
ANSWER = b"Hello, World!"
# nghttpd tells the content type by a file's ending.
PATH = "/benchmark.Static/Answer.grpc"
MOST_STREAMS = 1000


def framed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, with its length."""
    return b"\0" + len(message).to_bytes(4, "big") + message


@contextmanager
def responder(folder: Path) -> Iterator[int]:
    """Answer every call to ``PATH`` on a free port of 127.0.0.1, which is returned."""
    answer = folder / "root" / PATH.lstrip("/")
    answer.parent.mkdir(parents=True)
    answer.write_bytes(framed(ANSWER))
    types = folder / "mime.types"
    types.write_text("application/grpc grpc\n")
    process = subprocess.Popen(
        [
            *("nghttpd", "--no-tls", "-a", "127.0.0.1", "-m", str(MOST_STREAMS)),
            *("-d", str(folder / "root"), "--mime-types-file", str(types)),
            *("--trailer", "grpc-status: 0", "0"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield _port(process)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes]) -> int:
    """Where a process listens, which nghttpd does not say (proc(5): /proc/net/tcp)."""
    while process.poll() is None:
        sockets = {str(link.readlink()) for link in Path(f"/proc/{process.pid}/fd").iterdir()}
        for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                return int(local.rpartition(":")[2], 16)
    raise RuntimeError(f"nghttpd ended with exit code {process.returncode}")
