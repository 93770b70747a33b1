"""Servers that Elixir programs and tests talk to: where other backends plug theirs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.engine.addresses import Addresses
from pants.engine.environment import EnvironmentName
from pants.engine.fs import Digest
from pants.engine.rules import collect_rules
from pants.engine.target import Target
from pants.engine.unions import union
from pants.util.frozendict import FrozenDict

from pants_compat import rule


@union(in_scope_types=[EnvironmentName])
@dataclass(frozen=True)
class ServersRequest:
    """Asks for what starts the servers of `services`.

    Subclass it, say which targets are services, and add a rule from the subclass to `Servers`.
    """

    services: Addresses

    @classmethod
    def is_service(cls, target: Target) -> bool:
        raise NotImplementedError()


@dataclass(frozen=True)
class Servers:
    """How to start servers in a sandbox.

    `command`, followed by an entry's second half, starts one server; it has to understand `--port`,
    `--port-file` and `--exit-with-parent`. The first half is the Elixir client module, whose
    `child_spec` takes `target: "host:port"`.
    """

    digest: Digest
    command: tuple[str, ...]
    env: FrozenDict[str, str]
    append_only_caches: FrozenDict[str, str]
    clients: tuple[tuple[str, str], ...]


@rule(polymorphic=True)
async def prepare_servers(request: ServersRequest) -> Servers:
    raise NotImplementedError()


def rules() -> list[Any]:
    return [*collect_rules()]
