from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from pants.core.goals.package import Package

from bridge_runner import BRIDGE, GREETER, bridge_runner, run_goal


def test_package_builds_server_client_and_definition() -> None:
    runner = bridge_runner()
    runner.write_files({**BRIDGE, **GREETER})
    result = run_goal(runner, Package, "app:greeter")
    assert result.exit_code == 0, result.stderr
    dist = Path(runner.build_root, "dist/app")
    assert {path.name for path in dist.iterdir()} == {
        "greeter.pex",
        "greeter.elixir.tar.gz",
        "greeter.proto.tar.gz",
    }
    with tarfile.open(dist / "greeter.proto.tar.gz") as files:
        assert [member.name for member in files if member.isfile()] == ["greeter/v1/greeter.proto"]
    with tarfile.open(dist / "greeter.elixir.tar.gz") as files:
        assert {member.name for member in files if member.isfile()} == {
            "mix.exs",
            "lib/greeter.ex",
        }
    server = subprocess.run(
        [sys.executable, dist / "greeter.pex", "--port", "0"], capture_output=True, text=True
    )
    assert server.stdout.startswith("listening on 127.0.0.1:"), server.stderr
