"""The command ``synapse_bridge mcp`` as a process, and the SDK's own client."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from synapse_bridge import __main__ as command

if TYPE_CHECKING:
    from mcp.client.client import Client

P = ParamSpec("P")
TESTDATA = Path(__file__).parent / "testdata"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(Path(command.__file__).parents[1]), *sys.path]),
}


def arguments(*options: str) -> list[str]:
    """The command line."""
    return ["-B", "-m", "synapse_bridge", "mcp", *options]


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in an event loop of its own, for a minute at most."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), timeout=60))

    return run


def said(*options: str, cwd: Path = TESTDATA) -> tuple[int, str]:
    """Exit code and messages of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, *arguments(*options)],
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@asynccontextmanager
async def over_stdio(
    *options: str, mode: str = "auto", module: str | None = "tooling", cwd: Path = TESTDATA
) -> AsyncIterator[tuple[Client, Path]]:
    """A client of a server that it starts, and where that server's log is."""
    # Only some of the tests here need the SDK.
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    named = ("--module", module) if module else ()
    with tempfile.TemporaryDirectory(prefix="synapse-mcp-") as folder:
        log = Path(folder, "log")
        with log.open("w") as file:
            parameters = StdioServerParameters(
                command=sys.executable,
                args=arguments(*named, *options),
                env=ENVIRONMENT,
                cwd=cwd,
            )
            transport = stdio_client(parameters, errlog=file)
            async with Client(transport, mode=mode) as client:
                yield client, log


@contextmanager
def over_http(*options: str, cwd: Path = TESTDATA) -> Iterator[str]:
    """A server at an address, which is given, and which ends within a few seconds afterwards."""
    with tempfile.TemporaryDirectory(prefix="synapse-mcp-") as folder:
        port, log = Path(folder, "port"), Path(folder, "log")
        told = ("--transport", "http", "--port-file", str(port), "--grace", "5", *options)
        with log.open("w") as file:
            server = subprocess.Popen(
                [sys.executable, *arguments("--module", "tooling", *told)],
                cwd=cwd,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        try:
            assert server.stdout is not None
            line = server.stdout.readline()  # the first one: what it prints before goes elsewhere
            assert line.startswith("listening on http"), log.read_text()
            address = line.removeprefix("listening on ").strip()
            assert f":{port.read_text().strip()}/mcp" in address
            yield address
        finally:
            begun = time.monotonic()
            server.terminate()
            code = server.wait(timeout=20)
            server.stdout.close()  # type: ignore[union-attr] # it is a pipe
        assert code == 0, log.read_text()
        assert time.monotonic() - begun < 10
