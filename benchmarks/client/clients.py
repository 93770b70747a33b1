"""The clients, each in a process of its own that is told when to make calls."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from responder import PATH, REQUEST, framed

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Load:
    """One round: calls per second, and the client's processor time per call in microseconds."""

    rate: float
    cpu: float | None


class Client(Protocol):
    """Anything that makes calls on one connection."""

    def measure(self, seconds: float, in_flight: int) -> Load:
        """Make calls for some seconds, ``in_flight`` of them at once."""


class H2load:
    """``h2load``, which does little else than count answers: the limit."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}{PATH}"
        self.body = folder / "request"
        self.body.write_bytes(framed(REQUEST))

    def measure(self, seconds: float, in_flight: int) -> Load:
        # Names and versions of options: h2load 1.52, Debian's nghttp2-client.
        output = subprocess.run(
            [
                *("h2load", "-D", f"{round(seconds * 1000)}ms", "-c", "1", "-m", str(in_flight)),
                *("-d", str(self.body), "-H", "content-type: application/grpc"),
                *("-H", "te: trailers", self.url),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rate = re.search(r"finished in .*?, ([\d.]+) req/s", output)
        if not rate or "0 failed, 0 errored" not in output:
            raise RuntimeError(f"h2load did not get through:\n{output}")
        return Load(float(rate[1]), None)


class Caller:
    """A program that takes a question a line and answers with two numbers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def measure(self, seconds: float, in_flight: int) -> Load:
        return Load(*self.ask(f"{seconds} {in_flight}"))

    def ask(self, question: str) -> tuple[float, float]:
        """The answer to a question: for a load, ``rate cpu``."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError(f"a client has ended with exit code {self.process.wait()}")
        return float(answer[0]), float(answer[1])


@contextmanager
def caller(*command: str | Path) -> Iterator[Caller]:
    """Run a program as a client; it ends when its input does."""
    with subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Caller(process)


@dataclass(frozen=True)
class Question:
    """A unary call that is made again and again, and its right answer."""

    port: int
    path: str
    request: bytes
    response: bytes

    @property
    def arguments(self) -> list[str]:
        """As both clients take it."""
        messages = (base64.b64encode(one).decode() for one in (self.request, self.response))
        return [str(self.port), self.path, *messages]


def elixir_command(question: Question, ebin: Path) -> list[str | Path]:
    """Our own client, on the compiled runtime in ``ebin``; its schedulers do not spin."""
    quiet = "+sbwt none +sbwtdcpu none +sbwtdio none"
    return ["elixir", "--erl", quiet, "-pa", ebin, HERE / "channel.exs", *question.arguments]


def aio_command(question: Question) -> list[str | Path]:
    """grpc.aio's client, on the default event loop."""
    return [sys.executable, HERE / "aio.py", *question.arguments]


def compile_runtime(sources: Path, folder: Path) -> Path:
    """The modules of the Elixir runtime, compiled as they are without Mix."""
    ebin = folder / "ebin"
    ebin.mkdir()
    files = sorted(str(path) for path in (sources / "lib").rglob("*.ex"))
    if not files:
        raise FileNotFoundError(f"there are no Elixir sources in {sources / 'lib'}")
    subprocess.run(["elixirc", "-o", str(ebin), *files], check=True)
    return ebin
