"""The names of what is generated, as far as they follow from a BUILD file.

Dependency inference must know them without running anything. They are the names that
`synapse_bridge.contract.names` derives; generation fails if the two ever disagree.
"""

from __future__ import annotations

import re


def elixir_module(python_module: str) -> str:
    """`shop.pricing` → `Shop.Pricing`, `my_python_module` → `MyPythonModule`."""
    return ".".join(
        "".join(word[0].upper() + word[1:] for word in part.split("_") if word)
        for part in python_module.split(".")
    )


def stem(elixir: str) -> str:
    """What generated file names begin with: `MyApp.Orders` → `my_app_orders`."""
    return "_".join(_underscore(part) for part in elixir.split("."))


def python_modules(stem: str) -> tuple[str, str, str]:
    """The generated Python modules, the server last."""
    return f"{stem}_pb2", f"{stem}_pb2_grpc", server_module(stem)


def server_module(stem: str) -> str:
    return f"{stem}_server"


def _underscore(name: str) -> str:
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
