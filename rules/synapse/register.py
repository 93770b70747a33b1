"""The Synapse backend: Elixir clients for Python functions. It builds on the `elixir` backend."""

from __future__ import annotations

from synapse import codegen, dependency_inference, package, serve, tool
from synapse.target_types import SynapseService


def target_types():
    return [SynapseService]


def rules():
    return [
        *codegen.rules(),
        *dependency_inference.rules(),
        *package.rules(),
        *serve.rules(),
        *tool.rules(),
    ]
