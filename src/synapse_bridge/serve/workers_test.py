"""Workers share a port, are replaced when they die, and never outlive their supervisor."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

from synapse_bridge.serve.conftest import Running, refused, start, started, stub


def worker_pids(server: Running) -> set[int]:
    """The processes that the supervisor has started and that live."""
    pid = server.process.pid
    return {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def answering(server: Running, pb: Any, calls: int = 24) -> Counter[int]:
    """Which processes answer calls, each on a connection of its own."""
    pids: Counter[int] = Counter()
    for _ in range(calls):
        options = (("grpc.use_local_subchannel_pool", 1),)
        with grpc.insecure_channel(server.address, options=options) as channel:
            pids[stub(channel, "Pid")(pb.NothingRequest(), timeout=20).result] += 1
    return pids


def until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_workers_share_the_port_and_a_killed_one_is_replaced(
    folder: Path, pb: Any, tmp_path: Path
) -> None:
    port_file = tmp_path / "port"
    with started(folder, "--workers", "2", "--port-file", str(port_file)) as server:
        assert server.address.rpartition(":")[2] == port_file.read_text().strip()
        pids = worker_pids(server)
        assert len(pids) == 2
        assert answering(server, pb).keys() == pids
        killed = pids.pop()
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(worker_pids(server) - {killed}) == 2)
        until(lambda: answering(server, pb).keys() == worker_pids(server) - {killed})
        assert f"worker {killed} was ended by SIGKILL" in server.log.read_text()
        pids = worker_pids(server)
    until(lambda: not any(map(alive, pids)))
    assert server.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_calls_of_all_workers_finish(
    folder: Path, pb: Any, number: signal.Signals
) -> None:
    with started(folder, "--workers", "2", "--grace", "20") as server:
        options = (("grpc.use_local_subchannel_pool", 1),)
        channels = [grpc.insecure_channel(server.address, options=options) for _ in range(6)]
        calls = [
            stub(channel, "Wait").future(pb.SecondsRequest(seconds=1.5), timeout=20)
            for channel in channels
        ]
        # Each call is there before the next one on the same connection is answered.
        for channel in channels:
            stub(channel, "CountRunning")(pb.NothingRequest(), timeout=20)
        server.process.send_signal(number)
        assert [call.result() for call in calls] == [pb.NoneResponse()] * 6
        assert server.process.wait(timeout=20) == 0
        for channel in channels:
            channel.close()


def test_a_second_signal_ends_all_workers_at_once(folder: Path, pb: Any) -> None:
    with started(folder, "--workers", "2", "--grace", "60") as server, server.channel() as channel:
        waiting = stub(channel, "Wait").future(pb.SecondsRequest(seconds=60.0), timeout=20)
        stub(channel, "CountRunning")(pb.NothingRequest(), timeout=20)
        pids = worker_pids(server)
        server.process.terminate()
        until(lambda: "stopping" in server.log.read_text())
        server.process.terminate()
        server.process.wait(timeout=20)
        assert not any(map(alive, pids))
        assert waiting.exception() is not None


def test_workers_end_with_a_supervisor_that_is_killed(folder: Path) -> None:
    with started(folder, "--workers", "2") as server:
        pids = worker_pids(server)
        server.process.kill()
        server.process.wait()
        until(lambda: not any(map(alive, pids)))


def test_workers_end_with_the_parent_of_their_supervisor(folder: Path) -> None:
    with started(folder, "--workers", "2") as server:
        assert server.process.stdin
        pids = worker_pids(server)
        server.process.stdin.close()
        assert server.process.wait(timeout=20) == 0
        assert not any(map(alive, pids))


def test_settings_that_workers_cannot_follow_end_the_server(folder: Path) -> None:
    error = refused(folder, "--workers", "2", "--token-file", "/no/such/file")
    assert "--token-file: /no/such/file cannot be read" in error
    assert "The workers cannot start; what they said is above." in error


def test_a_port_in_use_is_told_once(folder: Path) -> None:
    with started(folder) as other:
        port = other.address.rpartition(":")[2]
        error = refused(folder, "--workers", "2", "--port", port)
    assert error.count(f"Cannot listen on 127.0.0.1:{port}: Address already in use") == 1


def test_workers_that_never_get_ready_end_the_server(folder: Path) -> None:
    # Each dies when it is loaded, as one does that runs out of memory.
    (folder / "dying.py").write_text(
        "import os, sys\n"
        "from synapse_bridge.serve import main\n"
        "if 'SYNAPSE_BRIDGE_WORKER' in os.environ:\n"
        "    os._exit(7)\n"
        "sys.path.insert(0, os.path.dirname(__file__))\n"
        "import probe_server\n"
        "main(probe_server.SERVICE)\n"
    )
    server = start(folder, "--workers", "2", script="dying.py")
    out, error = server.communicate(timeout=60)
    assert server.returncode == 2
    assert re.search(r"Worker \d ended 6 times before it answered calls", error)
    assert "ended with status 7; another one starts in 0.1 s" in error
    assert not out


def test_processes_cannot_share_a_unix_socket(folder: Path) -> None:
    error = refused(folder, "--listen", "unix:/s", "--workers", "2")
    assert "--listen: processes cannot share a Unix socket" in error


def test_a_server_that_a_worker_starts_is_no_worker(folder: Path) -> None:
    env = {"SYNAPSE_BRIDGE_WORKER": '{"port": 1, "ready": 99, "supervisor": 1}'}
    with started(folder, env=env) as server:
        assert server.process.poll() is None


def test_only_workers_load_a_server_by_its_name(folder: Path) -> None:
    command = ("-m", "synapse_bridge.serve", "no_such_server", "--workers", "2")
    server = start(folder, *command, script=None)
    try:
        _, error = server.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()
        raise
    assert server.returncode == 2
    assert error.count("There is no module no_such_server") >= 1
    assert "The workers cannot start" in error
