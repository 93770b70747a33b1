"""Names inside a generated Python server, none of which meets another."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from synapse_bridge.contract import Contract, Enum, EnumRef, Message, MessageRef, Method
from synapse_bridge.contract.names import underscore

_OWN = {"Any", "Literal", "SERVICE", "annotations", "pb", "serve"}
_LOCALS = {"error", "item", "key", "message", "request", "result", "value"}
_SUFFIXES = ("from_wire", "to_wire", "arguments", "response", "items", "error")


class PythonNames:
    """The stems of converters, the tables of enums, and how user modules are called.

    A user's module keeps its own name unless the server needs that name for itself.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        taken = set(_OWN)
        self._names: dict[MessageRef | EnumRef, str] = {}
        for message in contract.messages:
            self._names[MessageRef(message.name)] = _claim(underscore(message.proto), taken)
        for enum in contract.enums:
            self._names[EnumRef(enum.name)] = _claim(underscore(enum.proto).upper(), taken)
        methods = set(_OWN)
        self._functions = {
            method.name: _claim(underscore(method.proto), methods)
            for method in contract.service.methods
        }
        stems = {*self._names.values(), *self._functions.values()}
        own = {f"{stem}_{suffix}" for stem in stems for suffix in _SUFFIXES}
        own |= _OWN | _LOCALS | stems
        own.add(f"{contract.service.stem}_pb2")
        self._modules: dict[str, str] = {}
        for module in sorted(_modules(contract)):
            top = module.partition(".")[0]
            alias = _claim("_" + module.replace(".", "_"), own) if top in own else module
            self._modules[module] = alias

    def of(self, one: MessageRef | EnumRef) -> str:
        """The stem of a message's converters, the table of an enum."""
        return self._names[one]

    def function(self, method: Method) -> str:
        """The stem of a method's converters."""
        return self._functions[method.name]

    def module(self, name: str) -> str:
        """How a user's module is called here."""
        return self._modules[name]

    def imports(self) -> Iterator[str]:
        """The statements that import the user's modules."""
        for module, name in self._modules.items():
            yield f"import {module}" if name == module else f"import {module} as {name}"

    def reference(self, item: Message | Enum) -> str:
        """The expression for a user's class."""
        return self.module(_module(item)) + item.name.removeprefix(_module(item))

    def annotation(self, one: MessageRef | EnumRef) -> str:
        """The annotation of a value of that class; a ``Literal`` spelled out."""
        if isinstance(one, MessageRef):
            return self.reference(self._contract.message(one.name))
        enum = self._contract.enum(one.name)
        if enum.role == "enum":
            return self.reference(enum)
        return f"Literal[{', '.join(literal(member.value) for member in enum.members)}]"


def literal(value: str | int | bool) -> str:
    """A Python literal, with the quotes that formatters prefer."""
    if not isinstance(value, str):
        return repr(value)
    body = repr(value)[1:-1]
    if repr(value).startswith('"'):
        return f'"{body}"'
    plain, double = body.replace("\\'", "'"), body.count('"')
    return f"'{body}'" if double > body.count("\\'") else '"' + plain.replace('"', '\\"') + '"'


def _module(item: Message | Enum) -> str:
    return item.module or item.name.rpartition(".")[0]


def _modules(contract: Contract) -> set[str]:
    classes = (item for item in contract.messages if item.role not in ("request", "response"))
    models = {_module(item) for item in classes}
    enums = {_module(item) for item in contract.enums if item.role == "enum"}
    return {contract.service.module} | models | enums


def _claim(name: str, taken: set[str]) -> str:
    while name in taken or keyword.iskeyword(name):
        name += "_"
    taken.add(name)
    return name
