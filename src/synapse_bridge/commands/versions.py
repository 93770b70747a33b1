"""Versions of a contract: files, the sources as they are, and those of a git revision."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import synapse_bridge
from synapse_bridge.commands.choice import Choice, UsageError, chosen_contract, read_contract
from synapse_bridge.contract.model import Contract
from synapse_bridge.lock import LockError, read
from synapse_bridge.lock.baseline import locked_contract


def contract_of(version: str, choice: Choice) -> Contract:
    """The contract of a version: a file, a revision, or, where it is empty, the sources here."""
    if not version:
        return chosen_contract(choice)
    path = Path(version)
    if path.is_file():
        return _locked(path, choice.module) if _is_lock(path) else read_contract(path)
    return _of_revision(version, choice)


def _is_lock(path: Path) -> bool:
    try:
        return "services" in json.loads(path.read_bytes())
    except ValueError:
        return path.name.endswith(".lock.json")


def _locked(path: Path, target: str | None) -> Contract:
    """The contract that a lock holds of a service."""
    lock = read(path)
    names = ", ".join(lock.services) or "none"
    if target is None and len(lock.services) == 1:
        (target,) = lock.services
    if target is None:
        raise UsageError(f"{path} has several services\n  → say `--module` with one of: {names}")
    if target not in lock.services:
        raise UsageError(
            f"{path} has no service `{target}`, but: {names}\n"
            f"  → `synapse_bridge lock --module {target}` adds it"
        )
    try:
        contract = locked_contract(lock.service(target))
    except LockError as error:
        raise LockError(f"{path}: {error}") from None
    if contract is None:
        raise UsageError(f"{path} holds no contract of `{target}`\n  → run `synapse_bridge lock`")
    return contract


def _of_revision(version: str, choice: Choice) -> Contract:
    """The contract that the sources of a revision give, in a process of their own: modules of the
    same name as here are imported there."""
    revision, colon, folder = version.partition(":")
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise UsageError(
            f"`{version}` is neither a file nor a git revision\n"
            "  → name a contract.json, a synapse.lock.json, or a revision: `main`, `HEAD~1:src`"
        )
    if not colon:
        folder = _git("rev-parse", "--show-prefix") or ""
    with _checked_out(commit) as root:
        place = root / folder
        if not place.is_dir():
            raise UsageError(f"`{revision}` has no folder `{folder}`")
        return _introspected(version, place, choice)


def _introspected(version: str, folder: Path, choice: Choice) -> Contract:
    with TemporaryDirectory(prefix="synapse_bridge-") as out:
        contract = Path(out, "contract.json")
        options = {"--module": choice.module, "--elixir-module": choice.elixir_module}
        options["--deps-factory"] = choice.deps_factory
        options["--config"] = str(choice.config) if choice.config else None
        command = [sys.executable, "-m", "synapse_bridge", "inspect", "--output", str(contract)]
        command += [part for name, value in options.items() if value for part in (name, value)]
        command += [part for name in choice.functions or () for part in ("--function", name)]
        command += [part for name in choice.agents or () for part in ("--agent", name)]
        command += [part for name in choice.models or () for part in ("--model", name)]
        command += ["--expose-tools"] if choice.expose_tools else []
        # The revision's own modules come first, as its folder is the process's; this tool last.
        paths = [os.environ.get("PYTHONPATH"), str(Path(synapse_bridge.__file__).parents[1])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise UsageError(f"`{version}` gives no contract:\n{done.stderr.rstrip()}")
        return read_contract(contract)


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    """The files of a commit, in a folder that goes when the block ends."""
    with TemporaryDirectory(prefix="synapse_bridge-") as folder:
        top = _git("rev-parse", "--show-toplevel")
        with Path(folder, "tree.tar").open("w+b") as file:
            subprocess.run(
                ["git", "archive", "--format=tar", commit], cwd=top, stdout=file, check=True
            )
            file.seek(0)
            root = Path(folder, "tree")
            with tarfile.open(fileobj=file) as archive:
                archive.extractall(root, filter="data")
        yield root


def _git(*arguments: str) -> str | None:
    """What git prints; ``None`` where it fails, or there is no git, or no repository."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
