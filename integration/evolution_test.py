"""Two releases of a service, with a lock between them: what old clients notice of the new one.

The client is the real one. One service was written, and has new names and places for everything;
another is made of edits at random, each of which behaves as it is classified.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import edits
import pytest
from beams import Beam, lay_out
from samples import EVOLVED, SAMPLES, Bridge, Sample, generate, synapse_bridge
from servers import Server
from suites import run_suite

from synapse_bridge.contract.model import Contract
from synapse_bridge.contract.schema import from_json

FIRST = next(sample for sample in SAMPLES if sample.name == "evolving")
RANDOM = 40
"""How many edits are drawn at random, beside those that are known to break something."""


@dataclass(frozen=True)
class Releases:
    """The bridges of two releases, the second of which has the lock of the first."""

    first: Bridge
    second: Bridge

    @classmethod
    def of(cls, first: Sample, second: Sample, folder: Path) -> Releases:
        """Locks and generates both, in a folder of their own."""
        folder.mkdir()
        lock = folder / "synapse.lock.json"
        _lock(first, lock, folder)
        old = generate(first, folder / "first")
        _lock(second, lock, folder)
        selection = (*second.selection, f"--lock={lock}")
        return cls(old, generate(replace(second, selection=selection), folder / "second"))

    def contracts(self) -> tuple[Contract, Contract]:
        """What was generated."""
        found = (one.folder / "contract.json" for one in (self.first, self.second))
        old, new = (from_json(path.read_bytes()) for path in found)
        return old, new


def _lock(sample: Sample, lock: Path, folder: Path) -> None:
    arguments = ("lock", *sample.selection, f"--lock={lock}")
    done = synapse_bridge(*arguments, sources=sample.sources, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """A service in which everything has another place and much another name."""
    return Releases.of(FIRST, EVOLVED, tmp_path_factory.mktemp("written") / "releases")


@pytest.fixture(scope="module")
def changes() -> list[edits.Edit]:
    """The edits that the other service is made of."""
    return edits.edits(RANDOM)


@pytest.fixture(scope="module")
def drawn(changes: list[edits.Edit], tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """A service that has all the edits."""
    folder = tmp_path_factory.mktemp("drawn")
    old, new = edits.write(folder, "edited", changes)
    selection = ("--module=edited",)
    return Releases.of(
        Sample("edited", old, selection, "edited"),
        Sample("edited", new, (*selection, f"--config={new / 'synapse.yaml'}"), "edited"),
        folder / "releases",
    )


@pytest.fixture(scope="module")
def workspace(
    written: Releases,
    drawn: Releases,
    changes: list[edits.Edit],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The clients of the first releases, and the calls that one of them makes."""
    folder = tmp_path_factory.mktemp("workspace")
    lay_out(folder, (written.first, drawn.first))
    harmless = edits.harmless(changes, *drawn.contracts())
    made = [one for one in changes if one.known_to_break or one.number in harmless]
    (folder / "suites" / "calls.terms").write_text(edits.calls(made), "utf-8")
    return folder


def test_an_old_client_goes_on_with_the_new_server(
    written: Releases, compiled: Beam, tmp_path: Path
) -> None:
    with Server(written.second, tmp_path) as server:
        run_suite(compiled, server, "test/evolving_test.exs")


def test_no_change_is_said_to_break_the_wire(written: Releases, tmp_path: Path) -> None:
    contracts = [str(one.folder / "contract.json") for one in (written.first, written.second)]
    done = synapse_bridge(
        "diff", *contracts, "--json", "--fail-on=wire", sources=tmp_path, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)["summary"]
    assert summary["wire"] == 0
    assert summary["source"] > 0, "names have changed"


def test_edits_behave_as_they_are_classified(
    drawn: Releases, changes: list[edits.Edit], compiled: Beam, tmp_path: Path
) -> None:
    harmless = edits.harmless(changes, *drawn.contracts())
    assert len(harmless) > RANDOM // 4, "too few for the test to show anything"
    verdicts = _verdicts(drawn, compiled, tmp_path)
    for one in changes:
        if one.known_to_break:
            assert one.number not in harmless, one.shown()
            assert verdicts[one.number] == {"other"}, one.shown()
        elif one.number in harmless:
            assert verdicts[one.number] == {"same"}, one.shown()


def _verdicts(drawn: Releases, client: Beam, folder: Path) -> dict[int, set[str]]:
    """What became of the calls of each edit, with the old server and with the new one."""
    folders = [folder / "old", folder / "new"]
    for one in folders:
        one.mkdir()
    with Server(drawn.first, folders[0]) as first, Server(drawn.second, folders[1]) as second:
        outcome = client.mix(
            *("run", "--no-start", "edits.exs", "Edited", "calls.terms"),
            *(first.target, second.target),
            project="suites",
        )
    assert outcome.exit_code == 0, outcome.output
    found: dict[int, set[str]] = defaultdict(set)
    for number, verdict in re.findall(r"^call: (\d+) (\w+)", outcome.output, re.MULTILINE):
        found[int(number)].add(verdict)
    return found
