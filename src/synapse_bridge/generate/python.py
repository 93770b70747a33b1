"""The Python server: tables, converters, and the service.

It holds what is specific to the service, explicit converters per message, and leans on
:mod:`synapse_bridge.serve` for the rest. Only the converters that are needed are written: from the
wire for what requests hold, to the wire for what responses hold.

What comes from the wire becomes plain dicts that pydantic validates; a field that was not sent is
not in its dict. What goes to the wire was checked against its annotation before, so that the
converters need no checks, and becomes dicts that protobuf's constructors take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from typing_extensions import TypeIs

from synapse_bridge.contract import (
    Contract,
    Custom,
    Enum,
    EnumRef,
    Field,
    Message,
    MessageRef,
    Method,
    Nullable,
    Required,
    Streamed,
    Type,
    Union,
    UnionMember,
    UnionRef,
)
from synapse_bridge.contract.reach import within
from synapse_bridge.contract.schema import method_hash
from synapse_bridge.contract.types import unrooted
from synapse_bridge.contract.wire import Slot, element, slot
from synapse_bridge.generate.layout import Doc, concat
from synapse_bridge.generate.python_layout import (
    assignment,
    bracketed,
    call,
    choice,
    display,
    sequence,
    signature,
    statement,
)
from synapse_bridge.generate.python_names import PythonNames, literal
from synapse_bridge.generate.python_values import Values


class Server:
    """What a server module is made of, by the names that it defines."""

    def __init__(self, contract: Contract, fingerprint: str) -> None:
        self.contract = contract
        self.fingerprint = fingerprint
        self.names = PythonNames(contract)
        self.values = Values(self.names.of)
        methods = contract.service.methods
        self._errors = {MessageRef(name) for method in methods for name in method.raises}
        self._received = within(contract, (method.request for method in methods), sent=False)
        roots = [method.response for method in methods] + [error.name for error in self._errors]
        self._sent = self._errors | within(contract, roots)

    def tables(self) -> dict[str, list[str]]:
        """Members of enums and unions, and what converts types that the service maps itself."""
        used = self._received | self._sent
        found = {
            self.names.of(EnumRef(enum.name)): self._table(enum)
            for enum in self.contract.enums
            if EnumRef(enum.name) in used
        }
        found |= {
            self.names.table(union): self._members(union)
            for union in self.contract.unions
            if UnionRef(union.name) in self._sent and len(union.members) > 1
        }
        return dict(self._agents()) | found | self._types()

    def converters(self) -> dict[str, list[str]]:
        """The functions that stand between protobuf's messages and Python's values."""
        found = {}
        for message in self.contract.messages:
            ref = MessageRef(message.name)
            if ref in self._received:
                found[f"{self.names.of(ref)}_from_wire"] = self.from_wire(message)
            if ref in self._sent:
                found[f"{self.names.of(ref)}_to_wire"] = self.to_wire(message)
        for union in self.contract.unions:
            one = UnionRef(union.name)
            if one in self._received:
                found[f"{self.names.of(one)}_from_wire"] = self.union_from_wire(union)
            if one in self._sent:
                found[f"{self.names.of(one)}_to_wire"] = self.union_to_wire(union)
        for method in self.contract.service.methods:
            name = self.names.function(method)
            found[f"{name}_arguments"] = self.arguments(method)
            found[f"{name}_response"] = self.response(method)
            if method.stream:
                found[f"{name}_items"] = self.items(method)
        for error in sorted(self._errors, key=lambda error: error.name):
            found[f"{self.names.of(error)}_error"] = self.error(error)
        return found

    def _annotation(self, type_: Type) -> str:
        return self.names.annotation(type_)

    def _table(self, enum: Enum) -> list[str]:
        members = (f"{one.number}: {self.names.member(enum, one)}" for one in enum.members)
        table = call("serve.Members", display("{", members, "}"))
        return assignment(self.names.of(EnumRef(enum.name)), table, depth=0)

    def _members(self, union: Union) -> list[str]:
        exact = self.names.exact_annotation
        entries = (f'"{m.proto}": {exact(m.type)}' for m in union.members)
        table = call("serve.Union", display("{", entries, "}"))
        return assignment(self.names.table(union), table, depth=0)

    def _types(self) -> dict[str, list[str]]:
        """What converts the types that the service maps by itself."""
        made = {self.names.of(custom): self._custom(custom) for custom in self.names.customs}
        for name, annotation in self.names.annotations:
            module = self.names.module(annotation.module)
            arguments = f'"{name}"', literal(annotation.source), module
            made[self.names.instead(name)] = call("serve.Annotated", *arguments)
        tables = {name: assignment(name, one, depth=0) for name, one in made.items()}
        classes = [message for message in self.contract.messages if message.is_class]
        fields = {f"{message.name}.{field.name}" for message in classes for field in message.fields}
        options: list[Doc] = [self.names.of(custom) for custom in self.names.customs]
        options += [self.names.instead(n) for n, _ in self.names.annotations if n in fields]
        if self.contract.service.naive_datetime == "utc":
            options.append('naive_datetime="utc"')
        if options:
            tables["TYPES"] = assignment("TYPES", call("serve.Types", *options), depth=0)
        return tables

    def _custom(self, custom: Custom) -> Doc:
        name, module = f'"{custom.name}"', self.names.module(custom.module)
        match custom.via:
            case "annotation":
                return call("serve.Annotated", name, literal(custom.source), module)
            case "converters":
                functions = (
                    f"to_wire={self.names.function_at(custom.to_wire)}",
                    f"from_wire={self.names.function_at(custom.from_wire)}",
                )
                return call("serve.Converted", name, literal(custom.source), module, *functions)
            case "schema":
                plain = self.names.annotation(custom.inner)
                return call("serve.Adapted", self.names.reference(custom), plain)
            case "flag":
                return call("serve.Flags", self.names.reference(custom))

    # Messages

    def from_wire(self, message: Message) -> list[str]:
        name = f"{self.names.of(MessageRef(message.name))}_from_wire"
        return self._reader(message, name, "message")

    def arguments(self, method: Method) -> list[str]:
        name = f"{self.names.function(method)}_arguments"
        return self._reader(self.contract.message(method.request), name, "request")

    def _reader(self, message: Message, name: str, variable: str) -> list[str]:
        head = signature(name, variable, f"pb.{message.proto}", "dict[str, Any]")
        fields = [
            field
            for field in message.fields
            if not field.computed and not isinstance(field.default, Streamed)
        ]
        last = ["    return value"]
        if (extra := message.extra) is not None:
            head = signature(name, variable, f"pb.{message.proto}", "Any")
            more = self.values.read(slot(extra.type, extra.default), f"{variable}.{extra.proto}")
            names = sequence([f'"{field.name}"' for field in message.fields])
            last = statement(concat("return ", call("serve.with_extra", "value", more, names)))
        elif not fields:
            return [*head, "    return {}"]
        body = (line for field in fields for line in self._read_field(message, field, variable))
        return [*head, "    value: dict[str, Any] = {}", *body, *last]

    def _read_field(self, message: Message, field: Field, variable: str) -> list[str]:
        shape = slot(field.type, field.default)
        read = self.values.read(shape, f"{variable}.{field.proto}")
        if field.annotation:
            read = call(f"{self.names.instead(f'{message.name}.{field.name}')}.from_wire", read)
        target = f'value["{field.name}"]'
        if shape.label != "optional":
            return assignment(target, read)
        sent = call(f"{variable}.HasField", f'"{field.proto}"')
        if isinstance(unrooted(field.type), Nullable) and isinstance(field.default, Required):
            return assignment(target, choice(read, sent, "None"))
        if isinstance(field.default, Required) and read == f"{variable}.{field.proto}":
            # What is not zero was sent: that saves most of the questions whether it was.
            name = f"field_{field.number}"
            return [
                *statement(concat("if (", name, " := ", read, ") or ", sent, ":")),
                *assignment(target, name, depth=2),
            ]
        return [
            *statement(concat("if ", sent, ":")),
            *assignment(target, read, depth=2),
        ]

    def to_wire(self, message: Message) -> list[str]:
        name = f"{self.names.of(MessageRef(message.name))}_to_wire"
        entries = [
            concat(f'"{field.proto}": ', self._write_field(message, field))
            for field in message.fields
        ]
        if (extra := message.extra) is not None:
            write = self.values.write_field(extra, "serve.extra(value)")
            entries.append(concat(f'"{extra.proto}": ', write))
        return [
            *signature(name, "value", self._reference(message), "dict[str, Any]"),
            *statement(concat("return ", display("{", entries, "}", tall=True))),
        ]

    def _write_field(self, message: Message, field: Field) -> Doc:
        if field.serialized:
            return self.values.write_field(field, f'serve.serialized(value, "{field.name}")')
        if message.role != "typed_dict":
            return self.values.write_field(field, f"value.{field.name}")
        write = self.values.write_field(field, f'value["{field.name}"]')
        if isinstance(field.default, Required):
            return write
        if write == f'value["{field.name}"]':
            return call("value.get", f'"{field.name}"')
        return choice(write, f'"{field.name}" in value', "None")

    def _reference(self, message: Message) -> str:
        """The class of a message, with arguments that classes of several share (``HttpUrl``)."""
        if self._annotation(MessageRef(message.name)) == "Any":
            return "Any"
        anything = ", ".join("Any" for _ in message.arguments)
        name = self.names.reference(replace(message, arguments=()))
        return f"{name}[{anything}]" if anything else name

    # Unions

    def union_from_wire(self, union: Union) -> list[str]:
        name = f"{self.names.of(UnionRef(union.name))}_from_wire"
        lines = [
            *signature(name, "message", f"pb.{union.proto}", "Any"),
            '    match message.WhichOneof("value"):',
        ]
        for member in union.members:
            shape = Slot("optional", element(member.type))
            value = self.values.read(shape, f"message.{member.proto}")
            if len(union.members) > 1:
                paths = [sequence(map(str, path)) for path in member.positions]
                value = call("serve.sent", value, *(paths or [literal(member.sign)]))
            lines.append(f'        case "{member.proto}":')
            lines += statement(concat("return ", value), depth=3)
        return [*lines, "        case _:", "            return serve.no_member()"]

    def union_to_wire(self, union: Union) -> list[str]:
        name = f"{self.names.of(UnionRef(union.name))}_to_wire"
        head = signature(name, "value", "Any", "dict[str, Any]")
        *others, last = union.members
        if not others:
            return [*head, *statement(concat("return ", self._write_member(last)))]
        lines = [*head, f"    match {self.names.table(union)}.member(value):"]
        for member in others:
            lines.append(f'        case "{member.proto}":')
            lines += statement(concat("return ", self._write_member(member)), depth=3)
        lines.append(f'        case _:  # "{last.proto}"')
        return [*lines, *statement(concat("return ", self._write_member(last)), depth=3)]

    def _write_member(self, member: UnionMember) -> Doc:
        write = self.values.write_element(member.type, "value", 0)
        return display("{", [concat(f'"{member.proto}": ', write)], "}")

    def response(self, method: Method) -> list[str]:
        message = self.contract.message(method.response)
        annotation = "None"
        if method.result:
            annotation = self._annotation(method.result)
        name = f"{self.names.function(method)}_response"
        head = signature(name, "result", annotation, f"pb.{message.proto}")
        if not message.fields:
            return [*head, f"    return pb.{message.proto}()"]
        (field,) = message.fields
        shape = slot(field.type, field.default)
        write = self.values.write_field(field, "result")
        if shape.label != "map" or isinstance(write, str):
            made = call(f"pb.{message.proto}", concat(f"{field.proto}=", write))
            return [*head, *statement(concat("return ", made))]
        # protobuf's stubs do not know that the values of a map may be dicts.
        return [
            *head,
            *assignment("entries: dict[Any, Any]", write),
            f"    return pb.{message.proto}({field.proto}=entries)",
        ]

    def items(self, method: Method) -> list[str]:
        """What reads the item of the stream that a request may carry."""
        message = self.contract.message(method.request)
        (field,) = (field for field in message.fields if field.name == method.stream)
        read = self.values.read(slot(field.type, field.default), f"request.{field.proto}")
        sent = call("request.HasField", f'"{field.proto}"')
        name = f"{self.names.function(method)}_items"
        return [
            *signature(name, "request", f"pb.{message.proto}", "list[Any]"),
            *statement(concat("return ", choice(display("[", [read], "]"), sent, "[]"))),
        ]

    def error(self, ref: MessageRef) -> list[str]:
        message, stem = self.contract.message(ref.name), self.names.of(ref)
        reference = self._reference(message)
        made = call(f"pb.{message.proto}", f"**{stem}_to_wire(error)")
        return [
            *signature(f"{stem}_error", "error", reference, f"pb.{message.proto}"),
            *statement(concat("return ", made)),
        ]

    # Agents

    def _agents(self) -> Iterator[tuple[str, list[str]]]:
        """What has the methods and classes of each agent."""
        module = self.contract.service.module
        for agent in self.contract.agents:
            arguments: list[Doc] = [
                f"{self.names.module(module)}.{agent.variable}",
                f'module="{module}"',
                f'variable="{agent.variable}"',
                f'name="{agent.name}"',
            ]
            if agent.deps_factory:
                arguments.append(f"deps_factory={self.names.function_at(agent.deps_factory)}")
            if agent.models:
                arguments.append(concat("models=", sequence(map(literal, agent.models))))
            if exposed := [tool.name for tool in agent.tools if tool.method]:
                arguments.append(concat("tools=", sequence(map(literal, exposed))))
            name = self.names.agent(agent)
            yield name, assignment(name, call("agents.Service", *arguments), depth=0)

    # The service

    @cached_property
    def _has_types(self) -> bool:
        return bool(self._types())

    def _annotations_of(self, method: Method) -> Iterator[str]:
        """What the configuration says of parameters and the result."""
        for name in (method.request, method.response):
            for field in self.contract.message(name).fields:
                place = "return" if name == method.response else field.name
                if field.annotation:
                    yield f'"{place}": {self.names.instead(f"{name}.{field.name}")}'
                elif place == "return" and _is_place(field.type):
                    yield f'"{place}": {self.names.of(field.type)}'

    def service(self) -> list[str]:
        service = self.contract.service
        methods = display("(", map(self._method, service.methods), ")", tall=True)
        if len(service.methods) == 1:
            methods = bracketed("(", concat(self._method(service.methods[0]), ","), ")")
        arguments = (
            f'name="{service.full_name}"',
            "file=pb.DESCRIPTOR",
            f'contract="{self.fingerprint}"',
            f'module="{self.contract.service.module}"',
            concat("methods=", methods),
        )
        call_ = display("serve.Service(", arguments, ")")
        return statement(concat("SERVICE = ", call_), depth=0)

    def _method(self, method: Method) -> Doc:
        name = self.names.function(method)
        return call(
            "serve.Method",
            f'"{method.proto}"',
            self.names.called(method),
            f"pb.{self.contract.message(method.request).proto}",
            f"{name}_arguments",
            f"{name}_response",
            *(concat(f"{key}=", value) for key, value in self._about(method)),
        )

    def _about(self, method: Method) -> Iterator[tuple[str, Doc]]:
        yield "fingerprint", f'"{method_hash(self.contract, method)}"'
        if self._has_types:
            yield "types", "TYPES"
        if annotations := [*self._annotations_of(method)]:
            yield "annotations", display("{", annotations, "}")
        if method.stream:
            yield "stream", f'"{method.stream}"'
            yield "items", f"{self.names.function(method)}_items"
        if method.streams_result:
            yield "streams_result", "True"
        if method.context:
            yield "context", f'"{method.context}"'
        if method.timeout_ms is not None:
            yield "timeout", repr(method.timeout_ms / 1000)
        if method.raises:
            errors = (self.contract.message(name) for name in sorted(method.raises))
            entries = (concat(f"{self.names.reference(e)}: ", self._raised(e)) for e in errors)
            yield "raises", display("{", entries, "}")

    def _raised(self, error: Message) -> Doc:
        names = (f'"{field.name}"' for field in error.fields)
        held = display("(", names, ")" if len(error.fields) != 1 else ",)")
        return call("serve.Raised", f"{self.names.of(MessageRef(error.name))}_error", held)


def _is_place(type_: Type) -> TypeIs[Custom]:
    return isinstance(type_, Custom) and not type_.is_class
