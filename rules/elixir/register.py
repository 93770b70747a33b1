"""The Elixir backend: libraries, tests and programs, formatted, checked and packaged."""

from __future__ import annotations

from typing import Any

from elixir import (
    compiler,
    dependency_inference,
    exunit,
    mix_format,
    mix_package,
    program,
    script,
    servers,
    toolchain,
)
from elixir.target_types import ElixirFiles, ElixirScript, ElixirSources, ExUnitTests, MixPackage


def target_types() -> list[Any]:
    return [ElixirFiles, ElixirScript, ElixirSources, ExUnitTests, MixPackage]


def rules() -> list[Any]:
    return [
        *compiler.rules(),
        *dependency_inference.rules(),
        *exunit.rules(),
        *mix_format.rules(),
        *mix_package.rules(),
        *program.rules(),
        *script.rules(),
        *servers.rules(),
        *toolchain.rules(),
    ]
