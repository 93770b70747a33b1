"""Elixir as found on the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from pants.core.util_rules.search_paths import ExecutableSearchPathsOptionMixin
from pants.core.util_rules.system_binaries import BinaryPathRequest
from pants.engine.process import Process, ProcessCacheScope
from pants.engine.rules import collect_rules
from pants.option.subsystem import Subsystem
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from pants_compat import concurrently, execute_process_or_raise, find_binary, implicitly, rule


class Elixir(Subsystem):
    options_scope = "elixir"
    help = "The Elixir toolchain, found on the machine: Elixir 1.14 or later, OTP 25 or later."

    class EnvironmentAware(ExecutableSearchPathsOptionMixin, Subsystem.EnvironmentAware):
        executable_search_paths_help = "The PATH used to find `elixir`, `elixirc`, `mix` and `erl`."


@dataclass(frozen=True)
class ElixirToolchain:
    elixir: str
    elixirc: str
    mix: str
    env: FrozenDict[str, str]


@rule(desc="Find Elixir", level=LogLevel.DEBUG)
async def find_toolchain(elixir_env: Elixir.EnvironmentAware) -> ElixirToolchain:
    search_path = elixir_env.executable_search_path
    requests = [
        BinaryPathRequest(binary_name=name, search_path=search_path)
        for name in ("elixir", "elixirc", "mix", "erl")
    ]
    found = await concurrently(find_binary(request, **implicitly()) for request in requests)
    elixir, elixirc, mix, erl = (
        paths.first_path_or_raise(request, rationale="build Elixir code").path
        for paths, request in zip(found, requests)
    )
    # `elixir` is a shell script that looks up `erl` and coreutils.
    folders = dict.fromkeys([os.path.dirname(elixir), os.path.dirname(erl), "/usr/bin", "/bin"])
    env = {
        "PATH": ":".join(folders),
        "LANG": "C.UTF-8",  # else the VM reads and prints latin1
        "HOME": "{chroot}",
        "MIX_HOME": "{chroot}/.mix",
        "HEX_HOME": "{chroot}/.hex",
    }
    version = await execute_process_or_raise(
        **implicitly(
            Process(
                argv=(elixir, "--version"),
                env=env,
                description="Read the Elixir and OTP versions",
                level=LogLevel.DEBUG,
                cache_scope=ProcessCacheScope.PER_RESTART_SUCCESSFUL,
            )
        )
    )
    # In the environment, the versions are part of every cache key: an upgrade builds anew.
    env["SYNAPSE_ELIXIR_VERSION"] = " ".join(version.stdout.decode().split())
    return ElixirToolchain(elixir, elixirc, mix, FrozenDict(env))


def rules() -> list[Any]:
    return [*collect_rules()]
