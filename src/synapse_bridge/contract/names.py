"""Every name that is derived from a Python name.

Pure functions from text to text. What two of them make of a whole contract, and whether two names
meet, is decided by :mod:`synapse_bridge.introspect.naming`.
"""

from __future__ import annotations

import keyword
import re

from synapse_bridge.contract import reserved
from synapse_bridge.contract.elixir_terms import atom as atom

_ELIXIR_VARIABLE = re.compile(r"[a-z_][A-Za-z0-9_]*\Z")
_ELIXIR_MODULE = re.compile(r"[A-Z][A-Za-z0-9_]*(\.[A-Z][A-Za-z0-9_]*)*\Z")
_PROTO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PROTO_PACKAGE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")


def camelize(name: str) -> str:
    """``process_data`` → ``ProcessData``; capitals stay (``HTTPServer``)."""
    return "".join(part[0].upper() + part[1:] for part in re.split(r"[_.]+", name) if part)


def underscore(name: str) -> str:
    """``MyPythonAgent`` → ``my_python_agent``, as Elixir's ``Macro.underscore/1`` does."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def elixir_module(python_module: str) -> str:
    """``my_python_module`` → ``MyPythonModule``, ``shop.pricing`` → ``Shop.Pricing``."""
    return ".".join(camelize(part) for part in python_module.split("."))


def stem(elixir: str) -> str:
    """What generated file names begin with: ``MyApp.Orders`` → ``my_app_orders``."""
    return "_".join(underscore(part) for part in elixir.split("."))


def proto_package(elixir: str) -> str:
    """``MyApp.Orders`` → ``my_app.orders.v1``."""
    return ".".join([*(underscore(part) for part in elixir.split(".")), "v1"])


def service(elixir: str) -> str:
    """``MyApp.Orders`` → ``OrdersService``; a name that ends in ``Service`` stays."""
    last = elixir.rpartition(".")[2].replace("_", "")
    return last if last.endswith("Service") else f"{last}Service"


def message(python: str) -> str:
    """The proto name of a class, by its name in its module: ``Outer.Inner`` → ``OuterInner``."""
    return avoid(camelize(python), frozenset({"None", "True", "False", "DESCRIPTOR"}))


def snake(name: str) -> str:
    """The name in snake case, as buf's lint rules have it: ``aB2__c_`` → ``a_b2_c``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^_])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower()


def proto_field(python: str) -> str:
    """The proto name of a field: the Python name in snake case, never a Python keyword."""
    name = snake(python)
    if not name[:1].isalpha():
        return f"value_{name}"
    return f"{name}_value" if keyword.iskeyword(name) else name


def elixir_field(python: str, *, option: bool = False) -> str:
    """The key of a struct, a variable, or with ``option`` also the key of a call's options."""
    name = python if _ELIXIR_VARIABLE.match(python) else underscore(python)
    return avoid(
        name,
        reserved.ELIXIR_RESERVED | reserved.CALL_OPTIONS if option else reserved.ELIXIR_RESERVED,
    )


def elixir_function(python: str) -> str:
    """The name of a client function."""
    name = elixir_field(python.lstrip("_"))
    return avoid(name, reserved.ELIXIR_SPECIAL_FORMS | reserved.CLIENT_FUNCTIONS)


def avoid(name: str, taken: frozenset[str]) -> str:
    """The name, with a trailing underscore where it is reserved."""
    return f"{name}_" if name in taken else name


def enum_value(enum: str, member: str) -> str | None:
    """The proto name of an enum value: ``Currency``, ``eur`` → ``CURRENCY_EUR``.

    ``None`` where nothing of ``member`` can be part of a proto name (``"<="``).
    """
    part = snake(member).upper()
    return f"{snake(enum).upper()}_{part}" if part else None


def is_elixir_module(name: str) -> bool:
    """Whether ``name`` can be written as an Elixir module: ``MyApp.Orders``."""
    return _ELIXIR_MODULE.match(name) is not None


def is_elixir_name(name: str) -> bool:
    """Whether ``name`` can be a variable, a struct key or a function."""
    return _ELIXIR_VARIABLE.match(name) is not None


def is_proto_name(name: str) -> bool:
    """Whether ``name`` can be a proto identifier (ASCII letters, digits and underscores)."""
    return _PROTO_NAME.match(name) is not None


def is_proto_package(name: str) -> bool:
    """Whether ``name`` can be a proto package as buf wants it (``my_app.orders.v1``)."""
    return _PROTO_PACKAGE.match(name) is not None
