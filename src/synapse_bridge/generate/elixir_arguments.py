"""What the functions of a client take: arguments, options, and their types.

``modules`` are the Elixir modules of messages, enums and unions, by their Python names.
"""

from __future__ import annotations

from collections.abc import Mapping

from synapse_bridge.contract import Contract, Field, Method, Streamed, Type
from synapse_bridge.contract.registry import fill


def arguments(contract: Contract, method: Method) -> list[Field]:
    """The parameters that are arguments in Elixir, too."""
    return _fields(contract, method, "positional")


def options(contract: Contract, method: Method) -> list[Field]:
    """The parameters that are options in Elixir."""
    return _fields(contract, method, "keyword")


def _fields(contract: Contract, method: Method, kind: str) -> list[Field]:
    wanted = {parameter.name for parameter in method.parameters if parameter.kind == kind}
    return [field for field in contract.message(method.request).fields if field.name in wanted]


def given(type_: Type, modules: Mapping[str, str]) -> str:
    """The typespec of a value as a client returns it."""
    return fill(type_, "elixir_type", lambda one: modules.get(one.name, ""))


def taken(field: Field, modules: Mapping[str, str]) -> str:
    """The typespec of what is taken for a parameter."""
    type_ = fill(field.type, "elixir_input", lambda one: modules.get(one.name, ""))
    return f"Enumerable.t({type_})" if isinstance(field.default, Streamed) else type_


def option(field: Field, modules: Mapping[str, str]) -> str:
    """The typespec of an option."""
    return f"{{:{field.elixir}, {taken(field, modules)}}}"
