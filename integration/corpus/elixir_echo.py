"""The Elixir side: a bridge's client is compiled, and one BEAM sends everything back."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from carriers import Bridge

RUNTIME = Path(__file__).resolve().parents[2] / "elixir" / "synapse_bridge"
ECHO = Path(__file__).with_name("echo.exs")
SEND = Path(__file__).with_name("send.exs")
VALUES = RUNTIME / "test" / "support" / "random_values.ex"


class ElixirFailed(Exception):
    """The generated client does not compile without warnings, or cannot be run."""


class Refused(Exception):
    """Elixir does not read a value, or does not take it as an argument; the text says why."""


def available() -> bool:
    """Whether Elixir is on this machine."""
    return shutil.which("mix") is not None


def compile_client(bridge: Bridge, build: Path, seconds: int) -> None:
    """Compiles the client of a bridge, and the runtime unless it is in ``build``."""
    _mix(bridge, build, seconds, "deps.get")
    _mix(bridge, build, seconds, "deps.compile")
    _mix(bridge, build, seconds, "compile", "--warnings-as-errors")


def exchange(
    bridge: Bridge, build: Path, responses: Iterable[tuple[str, bytes]], seconds: int
) -> list[bytes | Refused]:
    """For each response of a method: the request that Elixir makes of the result in it."""
    given, taken = bridge.folder / "responses", bridge.folder / "requests"
    with given.open("wb") as file:
        for method, response in responses:
            name = method.encode()
            file.write(struct.pack(">I", len(name)) + name)
            file.write(struct.pack(">I", len(response)) + response)
    _mix(
        bridge,
        build,
        seconds,
        "run",
        "--no-start",
        str(ECHO),
        bridge.contract.service.elixir,
        str(given),
        str(taken),
    )
    return _answers(taken.read_bytes())


def send(bridge: Bridge, build: Path, structs: int, seed: int, seconds: int) -> dict[int, str]:
    """Has Elixir start the bridge's server, and send it so many random structs of each model.

    Gives what is wrong with the first that does not come back the same, by the model's position.
    """
    problems = bridge.folder / "problems"
    arguments = [
        bridge.contract.service.elixir,
        VALUES,
        structs,
        seed,
        problems,
        "--",
        *bridge.server,
    ]
    _mix(bridge, build, seconds, "run", "--no-start", str(SEND), *map(str, arguments))
    lines = problems.read_text(encoding="utf-8").split("\n")[:-1]
    return {int(number): text for number, _, text in (line.partition(" ") for line in lines)}


def _answers(data: bytes) -> list[bytes | Refused]:
    found: list[bytes | Refused] = []
    start = 0
    while start < len(data):
        (size,) = struct.unpack_from(">I", data, start)
        status, answer = data[start + 4], data[start + 5 : start + 4 + size]
        found.append(answer if status == 0 else Refused(answer.decode(errors="replace")))
        start += 4 + size
    return found


def _mix(bridge: Bridge, build: Path, seconds: int, *arguments: str) -> None:
    environment = {
        "HOME": str(build / "home"),
        "LANG": "C.UTF-8",
        "ELIXIR_ERL_OPTIONS": "+fnu",
        "MIX_ENV": "prod",
        "MIX_BUILD_PATH": str(build / "build"),
        "MIX_DEPS_PATH": str(build / "deps"),
        "MIX_HOME": str(build / "home"),
        # Of a server that Elixir starts, in another folder.
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        "SYNAPSE_BRIDGE_PATH": str(RUNTIME),
    }
    done = subprocess.run(
        ["timeout", str(seconds), "mix", *arguments],
        cwd=bridge.client,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace")
        raise ElixirFailed(f"mix {arguments[0]} ends with {done.returncode}:\n{output[-8000:]}")
