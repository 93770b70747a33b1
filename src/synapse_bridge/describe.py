"""A contract for people: what there is to call, with which types, in Python and in Elixir."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from synapse_bridge.contract.model import (
    Agent,
    Contract,
    Dynamic,
    Enum,
    Field,
    JSONValue,
    Literally,
    Message,
    Method,
    Required,
    Streamed,
    Union,
)
from synapse_bridge.contract.registry import fill
from synapse_bridge.contract.types import (
    Custom,
    EnumRef,
    ListOf,
    MapOf,
    Named,
    Nullable,
    RootOf,
    Scalar,
    SetOf,
    TupleOf,
    Type,
    UnionRef,
)


def describe(contract: Contract) -> RenderableType:
    """The whole contract as tables."""
    return Group(*_Description(contract).parts())


class _Description:
    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.elixir_names = {item.name: item.elixir for item in contract.named()}

    def parts(self) -> Iterator[RenderableType]:
        service = self.contract.service
        head = Table.grid(padding=(0, 2))
        head.add_row("Python", Text(service.module, "bold"))
        head.add_row("Elixir", Text(service.elixir, "bold"))
        head.add_row("gRPC", Text(service.full_name, "bold"))
        yield head
        if service.doc:
            yield Text(f"\n{service.doc}")
        for method in service.methods:
            yield Text()
            yield self.method(method)
        for agent in self.contract.agents:
            yield Text()
            yield self.agent(agent)
        for message in self.contract.messages:
            if message.is_class:
                yield Text()
                yield self.message(message)
        for union in self.contract.unions:
            yield Text()
            yield self.union(union)
        for enum in self.contract.enums:
            yield Text()
            yield self.enum(enum)

    def method(self, method: Method) -> RenderableType:
        """The function in both languages, its documentation and parameters."""
        request = self.contract.message(method.request)
        fields = {field.name: field for field in request.fields}
        head = Table.grid(padding=(0, 2))
        head.add_row("Python", Text(self.python_signature(method, fields), "bold"))
        head.add_row("Elixir", Text(self.elixir_signature(method, fields), "bold"))
        head.add_row("", Text(f"rpc {method.proto}, {method.source}", "dim"))
        parts: list[RenderableType] = [head]
        if method.doc.summary:
            parts.append(Text(method.doc.summary))
        if fields:
            parts.append(self.fields(request))
        return Group(*parts)

    def python_signature(self, method: Method, fields: dict[str, Field]) -> str:
        """``price(order: Order, *, rate: float = 1.0) -> Quote``, as far as the contract knows."""
        written = ", ".join(
            self.python_parameter(method, fields[parameter.name]) for parameter in method.parameters
        )
        result = "None" if method.result is None else self.python(method.result)
        if method.streams_result:
            result = f"{_stream(method)}[{result}]"
        word = "async def" if method.is_async else "def"
        return f"{word} {method.function}({written}) -> {result}"

    def python_parameter(self, method: Method, field: Field) -> str:
        type_ = self.python(field.type)
        match field.default:
            case Streamed():
                return f"{field.name}: {_stream(method)}[{type_}]"
            case Required():
                default = ""
            case Literally(value):
                default = f" = {self.value(field.type, value)}"
            case Dynamic():
                default = " = …"
        return f"{field.name}: {type_}{default}"

    def elixir_signature(self, method: Method, fields: dict[str, Field]) -> str:
        """``price(order, opts \\\\ []) :: {:ok, …} | {:error, …}``."""
        positional = [p for p in method.parameters if p.kind == "positional"]
        arguments = [fields[p.name].elixir for p in positional]
        keyword = [fields[p.name] for p in method.parameters if p.kind == "keyword"]
        needed = any(isinstance(field.default, Required | Streamed) for field in keyword)
        arguments.append("opts" if needed else "opts \\\\ []")
        ok = ":ok"
        if method.result is not None:
            value = self.elixir(method.result)
            ok = f"{{:ok, {f'Enumerable.t({value})' if method.streams_result else value}}}"
        call = f"{self.contract.service.elixir}.{method.elixir}({', '.join(arguments)})"
        errors = [self.contract.message(name).elixir for name in method.raises]
        error = " | ".join(f"{module}.t()" for module in [*errors, "SynapseBridge.Error"])
        return f"{call} :: {ok} | {{:error, {error}}}"

    def agent(self, agent: Agent) -> RenderableType:
        """An agent: what its runs come to, what they take, and its tools with their schemas."""
        service = self.contract.service
        name, module = f"{service.module}.{agent.variable}", f"{service.elixir}.{agent.elixir}"
        parts: list[RenderableType] = [self.title(name, module, "agent")]
        if agent.doc:
            parts.append(Text(agent.doc))
        head = Table.grid(padding=(0, 2))
        head.add_row("output", Text(self.python(agent.output)))
        if agent.deps is not None:
            head.add_row("deps", Text(self.python(agent.deps)))
        if agent.deps_factory:
            head.add_row("made by", Text(agent.deps_factory))
        if agent.models:
            head.add_row("models", Text(", ".join(agent.models)))
        parts.append(head)
        if agent.tools:
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
            for column in ("tool", "parameters", ""):
                table.add_column(column)
            for tool in agent.tools:
                about = [tool.doc] if tool.doc else []
                about += ["wants an approval"] if tool.approval else []
                about += [f"called as {tool.method}"] if tool.method else []
                schema = json.dumps(tool.parameters, ensure_ascii=False)
                table.add_row(*map(Text, (tool.name, schema, "; ".join(about))))
            parts.append(table)
        return Group(*parts)

    def message(self, message: Message) -> RenderableType:
        """A model, dataclass or exception with its fields."""
        parts: list[RenderableType] = [self.title(message.name, message.elixir, message.role)]
        if message.doc:
            parts.append(Text(message.doc))
        parts.append(self.fields(message) if message.fields else Text("no fields", "dim"))
        return Group(*parts)

    def fields(self, message: Message) -> RenderableType:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for heading in ("#", "name", "Python", "Elixir", "default", "constraints", "meaning"):
            table.add_column(heading, overflow="fold")
        for field in message.fields:
            name = field.name if field.elixir == field.name else f"{field.name} ({field.elixir}:)"
            table.add_row(
                str(field.number),
                Text(name),
                Text(self.python(field.type)),
                Text(self.elixir(field.type)),
                Text(self.default(field)),
                Text(", ".join(_constraints(field.type))),
                Text(field.doc),
            )
        return table

    def enum(self, enum: Enum) -> RenderableType:
        """An enum with its members."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for heading in ("#", "Python", "Elixir", "value", "meaning"):
            table.add_column(heading, overflow="fold")
        for member in enum.members:
            python = repr(member.value) if enum.role == "literal" else member.name
            texts = (str(member.number), python, member.elixir, repr(member.value), member.doc)
            table.add_row(*map(Text, texts))
        parts: list[RenderableType] = [self.title(enum.name, enum.elixir, enum.role)]
        if enum.doc:
            parts.append(Text(enum.doc))
        return Group(*parts, table)

    def union(self, union: Union) -> RenderableType:
        """A union with its members."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for heading in ("#", "Python", "Elixir", "tag", "constraints", "meaning"):
            table.add_column(heading, overflow="fold")
        for member in union.members:
            limits = ", ".join(_constraints(member.type))
            types = self.python(member.type), self.elixir(member.type)
            texts = (str(member.number), *types, f":{member.elixir}", limits, member.doc)
            table.add_row(*map(Text, texts))
        parts: list[RenderableType] = [self.title(union.name, union.elixir, "union")]
        if union.doc:
            parts.append(Text(union.doc))
        return Group(*parts, table)

    def title(self, python: str, elixir: str, role: str) -> RenderableType:
        return f"[bold]{escape(python)}[/bold] → [bold]{escape(elixir)}[/bold] [dim]{role}[/dim]"

    def default(self, field: Field) -> str:
        match field.default:
            case Required():
                return "required"
            case Literally(value):
                return self.value(field.type, value)
            case Dynamic():
                return "Python's"
            case Streamed():
                return "a stream"

    def value(self, type_: Type, value: JSONValue) -> str:
        """A literal as Python writes it."""
        match type_, value:
            case Nullable(inner), _ if value is not None:
                return self.value(inner, value)
            case RootOf(inner=inner), _:
                return self.value(inner, value)
            case TupleOf(items), list():
                pairs = zip(items, value, strict=True)
                return f"({', '.join(self.value(item, element) for item, element in pairs)})"
            case ListOf(item), list():
                return f"[{', '.join(self.value(item, element) for element in value)}]"
            case SetOf(item), list():
                return f"{{{', '.join(self.value(item, element) for element in value)}}}"
            case MapOf(key, item), dict():
                write = repr if isinstance(key, Scalar) and key.kind == "string" else str.capitalize
                written = (f"{write(k)}: {self.value(item, v)}" for k, v in value.items())
                return f"{{{', '.join(written)}}}"
            case EnumRef(name), _:
                enum = self.contract.enum(name)
                if enum.role == "enum":
                    return f"{self._python_name(type_)}.{value}"
                return next(repr(m.value) for m in enum.members if m.name == value)
            case _:
                return repr(value)

    def python(self, type_: Type) -> str:
        return fill(type_, "python", self._python_name)

    def elixir(self, type_: Type) -> str:
        return fill(type_, "elixir_type", self._elixir_name)

    def _python_name(self, ref: Named) -> str:
        if isinstance(ref, RootOf | Custom):
            return ref.name.removeprefix(f"{ref.module}.")
        if isinstance(ref, UnionRef):
            members = self.contract.union(ref.name).members
            return " | ".join(self.python(member.type) for member in members)
        if isinstance(ref, EnumRef):
            enum = self.contract.enum(ref.name)
            if enum.role == "literal":
                return f"Literal[{', '.join(repr(member.value) for member in enum.members)}]"
            return enum.name.removeprefix(f"{enum.module}.")
        return ref.name.removeprefix(f"{self.contract.message(ref.name).module}.")

    def _elixir_name(self, ref: Named) -> str:
        return self.elixir_names.get(ref.name, "")


def _stream(method: Method) -> str:
    return "AsyncIterator" if method.is_async else "Iterator"


def _constraints(type_: Type, of: str = "") -> Iterator[str]:
    """Constraints of a type and of what it holds: ``min_length=1``, ``items: ge=0``."""
    match type_:
        case Nullable(inner):
            yield from _constraints(inner, of)
        case RootOf(inner=inner) | Custom(inner=inner):
            yield from _constraints(inner, of)
        case ListOf(inner, constraints) | SetOf(inner, constraints):
            yield from (f"{of}{name}={value!r}" for name, value in constraints.items())
            yield from _constraints(inner, f"{of}items: ")
        case MapOf(key, inner, constraints):
            yield from (f"{of}{name}={value!r}" for name, value in constraints.items())
            yield from _constraints(key, f"{of}keys: ")
            yield from _constraints(inner, f"{of}values: ")
        case Scalar(_, constraints):
            yield from (f"{of}{name}={value!r}" for name, value in constraints.items())
