"""Names inside a generated Python server, none of which meets another."""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Callable, Iterable, Iterator

from synapse_bridge.contract import (
    Agent,
    Annotation,
    Contract,
    Custom,
    Enum,
    EnumMember,
    EnumRef,
    Message,
    MessageRef,
    Method,
    Named,
    Ref,
    RootOf,
    Type,
    Union,
    UnionRef,
)
from synapse_bridge.contract.names import underscore
from synapse_bridge.contract.reach import types
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import parts

_OWN = {
    "TYPES",
    "Annotated",
    "Any",
    "Literal",
    "SERVICE",
    "agents",
    "annotations",
    "collections",
    "pb",
    "serve",
}
_LOCALS = {"error", "item", "key", "message", "request", "result", "value"}
_SUFFIXES = ("from_wire", "to_wire", "arguments", "response", "items", "error")


class PythonNames:
    """The stems of converters, the tables of enums, and how user modules are called.

    A user's module keeps its own name unless the server needs that name for itself.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        taken = set(_OWN)
        self._names: dict[Ref, str] = {}
        self._tables: dict[str, str] = {}
        for message in contract.messages:
            self._names[MessageRef(message.name)] = _claim(underscore(message.proto), taken)
        for enum in contract.enums:
            self._names[EnumRef(enum.name)] = _claim(underscore(enum.proto).upper(), taken)
        for union in contract.unions:
            stem = _claim(underscore(union.proto), taken)
            self._names[UnionRef(union.name)] = stem
            self._tables[union.name] = _claim(stem.upper(), taken)
        self._custom_types = dict(sorted(_customs(contract).items()))
        self._customs = {
            name: _claim(_constant(custom.name, custom.module), taken)
            for name, custom in self._custom_types.items()
        }
        self._instead = {
            name: _claim(_constant(name, annotation.module), taken)
            for name, annotation in _annotations(contract).items()
        }
        self._agents = {
            agent.name: _claim(underscore(agent.name).upper(), taken) for agent in contract.agents
        }
        methods = set(_OWN)
        self._functions = {
            method.name: _claim(underscore(method.proto), methods)
            for method in contract.service.methods
        }
        stems = {*self._names.values(), *self._tables.values(), *self._functions.values()}
        stems |= {*self._customs.values(), *self._instead.values(), *self._agents.values()}
        own = {f"{stem}_{suffix}" for stem in stems for suffix in _SUFFIXES}
        own |= _OWN | _LOCALS | stems
        own.add(f"{contract.service.stem}_pb2")
        self._modules: dict[str, str] = {}
        for module in sorted(_modules(contract)):
            top = module.partition(".")[0]
            alias = _claim("_" + module.replace(".", "_"), own) if top in own else module
            self._modules[module] = alias

    def of(self, one: Ref | Custom) -> str:
        """The stem of the converters of a message or union, the table of an enum, what converts a
        custom type."""
        return self._customs[one.name] if isinstance(one, Custom) else self._names[one]

    @property
    def customs(self) -> Iterator[Custom]:
        """The custom types, in the order of their names."""
        return iter(self._custom_types.values())

    @property
    def annotations(self) -> Iterable[tuple[str, Annotation]]:
        """The annotations of the configuration, by the fields of messages that they are for."""
        return _annotations(self._contract).items()

    def instead(self, field: str) -> str:
        """What holds the annotation of the configuration for a field: ``shop.Order.total``."""
        return self._instead[field]

    def agent(self, agent: Agent) -> str:
        """What holds an agent's methods and classes."""
        return self._agents[agent.name]

    def called(self, method: Method) -> str:
        """The expression for the function of a method."""
        service = self._contract.service
        for agent in self._contract.agents:
            names = (*agent.methods.values(), *(tool.method for tool in agent.tools))
            if method.name in names:
                return f"{self.agent(agent)}{method.function.removeprefix(agent.variable)}"
        return f"{self.module(service.module)}.{method.function}"

    def _owned(self, name: str) -> str | None:
        """The expression for a class that is made for an agent, if it is one."""
        module = self._contract.service.module
        for agent in self._contract.agents:
            if agent.owns(module, name):
                return f"{self.agent(agent)}.{name.rpartition('.')[2]}"
        return None

    def function_at(self, path: str) -> str:
        """The expression for a user's function ``package.module:function``."""
        module, _, name = path.partition(":")
        return f"{self.module(module)}.{name}"

    def table(self, union: Union) -> str:
        """The table of a union's members."""
        return self._tables[union.name]

    def function(self, method: Method) -> str:
        """The stem of a method's converters."""
        return self._functions[method.name]

    def module(self, name: str) -> str:
        """How a user's module is called here."""
        return self._modules[name]

    def imports(self) -> Iterator[tuple[str, str]]:
        """The statements that import the user's modules, and how the modules are called then."""
        for module, name in self._modules.items():
            yield f"import {module}" if name == module else f"import {module} as {name}", name

    def reference(self, item: Message | Enum | RootOf | Custom) -> str:
        """The expression for a user's class."""
        if (owned := self._owned(item.name)) is not None:
            return owned
        local, _, _ = item.name.removeprefix(_module(item)).partition("[")
        name = self.module(_module(item)) + local
        if isinstance(item, Message) and item.arguments:
            return f"{name}[{', '.join(map(self.exact_annotation, item.arguments))}]"
        if isinstance(item, RootOf) and item.name.startswith("pydantic.root_model.RootModel["):
            return f"{name}[{self.exact_annotation(item.inner)}]"
        return name

    def annotation(self, type_: Type) -> str:
        """The annotation of values; a ``Literal`` is spelled out, and so is a nameless union.

        What is made at run time has no type for type checkers.
        """
        return fill(type_, "python", self._annotation)

    def exact_annotation(self, type_: Type) -> str:
        """The annotation that tells values apart that are of one class in Python; it can be run."""
        return fill(type_, "annotation", self._exact_annotation)

    def _annotation(self, one: Named) -> str:
        match one:
            case MessageRef(name) | UnionRef(name) if self._owned(name) is not None:
                return "Any"
            case _:
                return self._named(one, self.annotation)

    def _exact_annotation(self, one: Named) -> str:
        return self._named(one, self.exact_annotation)

    def _named(self, one: Named, inner: Callable[[Type], str]) -> str:
        match one:
            case RootOf():
                return self.reference(one)
            case Custom():
                return self.reference(one) if one.is_class else "Any"
            case MessageRef(name):
                return self.reference(self._contract.message(name))
            case UnionRef(name):
                union = self._contract.union(name)
                if union.role == "alias" and self._owned(name) is None:
                    return self.module(_module(union)) + name.removeprefix(_module(union))
                return " | ".join(inner(member.type) for member in union.members)
            case EnumRef(name):
                enum = self._contract.enum(name)
                if enum.role == "enum":
                    return self.reference(enum)
                return f"Literal[{', '.join(self.member(enum, one) for one in enum.members)}]"

    def member(self, enum: Enum, member: EnumMember) -> str:
        """A member of an enum, or a value of a ``Literal``, in Python."""
        if member.of == "bytes":
            return literal(str(member.value).encode("latin-1"))
        if member.of:
            return f"{self.reference(self._contract.enum(member.of))}.{member.name}"
        if enum.role == "literal":
            return literal(member.value)
        return f"{self.reference(enum)}.{member.name}"


def literal(value: str | bytes | float) -> str:
    """A Python literal, with the quotes that formatters prefer."""
    if isinstance(value, bytes):
        return "b" + _quoted(repr(value)[1:])
    return _quoted(repr(value)) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """What Python's ``repr`` makes of a text or of bytes, with double quotes where possible."""
    body = text[1:-1]
    if text.startswith('"'):
        return text
    plain, double = body.replace("\\'", "'"), body.count('"')
    return f"'{body}'" if double > body.count("\\'") else '"' + plain.replace('"', '\\"') + '"'


def _module(item: Message | Enum | Union | RootOf | Custom) -> str:
    return item.module or item.name.rpartition(".")[0]


def _modules(contract: Contract) -> set[str]:
    modules = {contract.service.module}
    modules |= {_module(item) for item in contract.messages if item.is_class}
    modules |= {_module(item) for item in contract.enums if item.role == "enum"}
    modules |= {_module(item) for item in contract.unions if item.role == "alias"}
    for custom in _customs(contract).values():
        modules.add(custom.module)
        paths = (custom.to_wire, custom.from_wire)
        modules |= {path.partition(":")[0] for path in paths if path}
    factories = (agent.deps_factory for agent in contract.agents)
    modules |= {path.partition(":")[0] for path in factories if path}
    modules |= {annotation.module for annotation in _annotations(contract).values()}
    return modules | {root.module for type_ in _types(contract) for root in _roots(type_)}


def _types(contract: Contract) -> Iterator[Type]:
    arguments = (one for message in contract.messages for one in message.arguments)
    return itertools.chain(types(contract), arguments)


def _roots(type_: Type) -> Iterator[RootOf]:
    if isinstance(type_, RootOf):
        yield type_
    for part in parts(type_).values():
        yield from _roots(part)


def _customs(contract: Contract) -> dict[str, Custom]:
    todo = [*_types(contract)]
    found: dict[str, Custom] = {}
    while todo:
        type_ = todo.pop()
        todo += parts(type_).values()
        if isinstance(type_, Custom):
            found[type_.name] = type_
    return found


def _annotations(contract: Contract) -> dict[str, Annotation]:
    return {
        f"{message.name}.{field.name}": field.annotation
        for message in contract.messages
        for field in message.fields
        if field.annotation
    }


def _constant(name: str, module: str) -> str:
    """``shop.models.Sku`` → ``SKU``, ``shop.models.Order.total`` → ``ORDER_TOTAL``."""
    local = name.removeprefix(f"{module}.")
    return re.sub(r"\W", "_", underscore(local.replace(".", "_"))).upper()


def _claim(name: str, taken: set[str]) -> str:
    while name in taken or keyword.iskeyword(name):
        name += "_"
    taken.add(name)
    return name
