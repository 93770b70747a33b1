"""The Synapse backend: Elixir clients for Python functions. It builds on the `elixir` backend."""

from __future__ import annotations

from typing import Any

from synapse import check, codegen, dependency_inference, lock, package, serve, tool
from synapse.target_types import SynapseService


def target_types() -> list[Any]:
    return [SynapseService]


def rules() -> list[Any]:
    return [
        *check.rules(),
        *codegen.rules(),
        *dependency_inference.rules(),
        *lock.rules(),
        *package.rules(),
        *serve.rules(),
        *tool.rules(),
    ]
