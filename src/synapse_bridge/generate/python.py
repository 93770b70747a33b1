"""The Python server: ``<stem>_server.py``.

It holds what is specific to the service, explicit converters per message, and leans on
:mod:`synapse_bridge.serve` for the rest. Only the converters that are needed are written: from the
wire for what requests hold, to the wire for what responses hold.

What comes from the wire becomes plain dicts that pydantic validates; a field that was not sent is
not in its dict. What goes to the wire was checked against its annotation before, so that the
converters need no checks, and becomes dicts that protobuf's constructors take.
"""

from __future__ import annotations

from collections.abc import Iterator

from synapse_bridge.contract import (
    Contract,
    Enum,
    EnumMember,
    EnumRef,
    Field,
    ListOf,
    MapOf,
    Message,
    MessageRef,
    Method,
    Nullable,
    Required,
    Scalar,
    Streamed,
    Type,
)
from synapse_bridge.contract.reach import within
from synapse_bridge.contract.registry import fill, row
from synapse_bridge.contract.schema import method_hash
from synapse_bridge.contract.types import references
from synapse_bridge.contract.wire import Element, Slot, Wrapped, element, inside, slot
from synapse_bridge.generate.heading import heading
from synapse_bridge.generate.layout import Doc, concat
from synapse_bridge.generate.python_layout import (
    assignment,
    bracketed,
    call,
    choice,
    comprehension,
    display,
    signature,
    statement,
)
from synapse_bridge.generate.python_names import PythonNames, literal


def emit(contract: Contract, fingerprint: str) -> str:
    """The text of the server module."""
    server = _Server(contract, fingerprint)
    methods = contract.service.methods
    errors = {MessageRef(name) for method in methods for name in method.raises}
    received = within(contract, (method.request for method in methods))
    sent = errors | within(
        contract, (*(method.response for method in methods), *(error.name for error in errors))
    )
    blocks = [server.head(received | sent)]
    for message in contract.messages:
        if MessageRef(message.name) in received:
            blocks.append(server.from_wire(message))
        if MessageRef(message.name) in sent:
            blocks.append(server.to_wire(message))
    for method in methods:
        blocks += [server.arguments(method), server.response(method)]
        if method.stream:
            blocks.append(server.items(method))
    blocks += map(server.error, sorted(errors, key=lambda error: error.name))
    tail = [*server.service(), "", 'if __name__ == "__main__":', "    serve.main(SERVICE)"]
    return "\n\n\n".join("\n".join(block) for block in [*blocks, tail]) + "\n"


class _Server:
    def __init__(self, contract: Contract, fingerprint: str) -> None:
        self.contract = contract
        self.fingerprint = fingerprint
        self.names = PythonNames(contract)

    def head(self, used: set[MessageRef | EnumRef]) -> list[str]:
        service = self.contract.service
        imports = [f"import {service.stem}_pb2 as pb", *self.names.imports()]
        tables = [
            line
            for enum in self.contract.enums
            if EnumRef(enum.name) in used
            for line in self._table(enum)
        ]
        return [
            f"# {heading(self.contract)}",
            "# isort: skip_file",
            f'"""gRPC server of `{service.module}`."""',
            "",
            "from __future__ import annotations",
            "",
            f"from typing import {'Any, Literal' if self._returns_literals() else 'Any'}",
            "",
            *sorted(imports),
            "from synapse_bridge import serve",
            *(["", *tables] if tables else []),
        ]

    def _returns_literals(self) -> bool:
        results = (method.result for method in self.contract.service.methods if method.result)
        enums = (
            one.name for result in results for one in references(result) if isinstance(one, EnumRef)
        )
        return any(self.contract.enum(name).role == "literal" for name in enums)

    def _table(self, enum: Enum) -> list[str]:
        members = (f"{member.number}: {self._member(enum, member)}" for member in enum.members)
        table = call("serve.Members", display("{", members, "}"))
        return assignment(self.names.of(EnumRef(enum.name)), table, depth=0)

    def _member(self, enum: Enum, member: EnumMember) -> str:
        if enum.role == "literal":
            return literal(member.value)
        return f"{self.names.reference(enum)}.{member.name}"

    # Messages

    def from_wire(self, message: Message) -> list[str]:
        name = f"{self.names.of(MessageRef(message.name))}_from_wire"
        return self._reader(message, name, "message")

    def arguments(self, method: Method) -> list[str]:
        name = f"{self.names.function(method)}_arguments"
        return self._reader(self.contract.message(method.request), name, "request")

    def _reader(self, message: Message, name: str, variable: str) -> list[str]:
        head = signature(name, variable, f"pb.{message.proto}", "dict[str, Any]")
        if all(isinstance(field.default, Streamed) for field in message.fields):
            return [*head, "    return {}"]
        plain = [field for field in message.fields if not isinstance(field.default, Streamed)]
        body = (line for field in plain for line in self._read_field(field, variable))
        return [*head, "    value: dict[str, Any] = {}", *body, "    return value"]

    def _read_field(self, field: Field, variable: str) -> list[str]:
        shape = slot(field.type, field.default)
        read = self._read(shape, f"{variable}.{field.proto}")
        target = f'value["{field.name}"]'
        if shape.label != "optional":
            return assignment(target, read)
        sent = call(f"{variable}.HasField", f'"{field.proto}"')
        if isinstance(field.type, Nullable) and isinstance(field.default, Required):
            return assignment(target, choice(read, sent, "None"))
        return [
            *statement(concat("if ", sent, ":")),
            *assignment(target, read, depth=2),
        ]

    def to_wire(self, message: Message) -> list[str]:
        name = f"{self.names.of(MessageRef(message.name))}_to_wire"
        entries = (
            concat(f'"{field.proto}": ', self._write_field(field, f"value.{field.name}"))
            for field in message.fields
        )
        return [
            *signature(name, "value", self.names.reference(message), "dict[str, Any]"),
            *statement(concat("return ", display("{", entries, "}", tall=True))),
        ]

    def response(self, method: Method) -> list[str]:
        message = self.contract.message(method.response)
        annotation = "None"
        if method.result:
            annotation = fill(method.result, "python", self.names.annotation)
        name = f"{self.names.function(method)}_response"
        head = signature(name, "result", annotation, f"pb.{message.proto}")
        if not message.fields:
            return [*head, f"    return pb.{message.proto}()"]
        (field,) = message.fields
        shape = slot(field.type, field.default)
        write = self._write_field(field, "result")
        if shape.label != "map" or isinstance(shape.element, Scalar):
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
        read = self._read(slot(field.type, field.default), f"request.{field.proto}")
        sent = call("request.HasField", f'"{field.proto}"')
        name = f"{self.names.function(method)}_items"
        return [
            *signature(name, "request", f"pb.{message.proto}", "list[Any]"),
            *statement(concat("return ", choice(display("[", [read], "]"), sent, "[]"))),
        ]

    def error(self, ref: MessageRef) -> list[str]:
        message, stem = self.contract.message(ref.name), self.names.of(ref)
        reference = self.names.reference(message)
        made = call(f"pb.{message.proto}", f"**{stem}_to_wire(error)")
        return [
            *signature(f"{stem}_error", "error", reference, f"pb.{message.proto}"),
            *statement(concat("return ", made)),
        ]

    # Values from the wire

    def _read(self, shape: Slot, x: str, depth: int = 0) -> Doc:
        """What stands at ``x``, which is there."""
        one = shape.element
        item, key = _variables(depth)
        match shape.label:
            case "optional":
                return self._read_element(one, x, depth)
            case "repeated":
                if isinstance(one, Scalar):
                    return f"{x}[:]"
                read = self._read_element(one, item, depth + 1)
                return comprehension("[", read, item, x, "]")
            case "map":
                if isinstance(one, Scalar):
                    return call("dict", x)
                read = concat(f"{key}: ", self._read_element(one, item, depth + 1))
                return comprehension("{", read, f"{key}, {item}", f"{x}.items()", "}")

    def _read_element(self, one: Element, x: str, depth: int) -> Doc:
        if isinstance(one, Wrapped):
            name, shape = inside(one)
            read = self._read(shape, f"{x}.{name}", depth)
            if shape.label == "optional":
                return choice(read, f'{x}.HasField("{name}")', "None")
            return read
        return self._convert(one, "from_wire", x)

    # Values to the wire

    def _write_field(self, field: Field, x: str) -> Doc:
        one = slot(field.type, field.default).element
        if isinstance(one, Wrapped) and one.inner == field.type:
            return self._write_element(one, x, 0)
        return self._write(field.type, x, 0)

    def _write(self, type_: Type, x: str, depth: int) -> Doc:
        """The value ``x`` where it needs no wrapper."""
        item, key = _variables(depth)
        match type_:
            case Nullable(inner) | ListOf(inner) | MapOf(value=inner) if isinstance(inner, Scalar):
                return x
            case Nullable(inner):
                write = self._write_element(element(inner), x, depth)
                return choice("None", f"{x} is None", write)
            case ListOf(inner):
                write = self._write_element(element(inner), item, depth + 1)
                return comprehension("[", write, item, x, "]")
            case MapOf(_, inner):
                write = concat(f"{key}: ", self._write_element(element(inner), item, depth + 1))
                return comprehension("{", write, f"{key}, {item}", f"{x}.items()", "}")
            case Scalar() | MessageRef() | EnumRef():
                return self._convert(type_, "to_wire", x)

    def _write_element(self, one: Element, x: str, depth: int) -> Doc:
        if isinstance(one, Wrapped):
            name, _ = inside(one)
            return display("{", [concat(f'"{name}": ', self._write(one.inner, x, depth))], "}")
        return self._convert(one, "to_wire", x)

    def _convert(self, one: Scalar | MessageRef | EnumRef, column: str, x: str) -> Doc:
        template: str = getattr(row(one), column)
        if isinstance(one, Scalar):
            return template.format(x=x)
        opening, closing = template.format(name=self.names.of(one), x="\0").split("\0")
        return bracketed(opening, x, closing)

    # The service

    def service(self) -> list[str]:
        service = self.contract.service
        methods = display("(", map(self._method, service.methods), ")", tall=True)
        if len(service.methods) == 1:
            methods = bracketed("(", concat(self._method(service.methods[0]), ","), ")")
        arguments = (
            f'name="{service.full_name}"',
            "file=pb.DESCRIPTOR",
            f'contract="{self.fingerprint}"',
            concat("methods=", methods),
        )
        call_ = display("serve.Service(", arguments, ")")
        return statement(concat("SERVICE = ", call_), depth=0)

    def _method(self, method: Method) -> Doc:
        name = self.names.function(method)
        return call(
            "serve.Method",
            f'"{method.proto}"',
            f"{self.names.module(self.contract.service.module)}.{method.function}",
            f"pb.{self.contract.message(method.request).proto}",
            f"{name}_arguments",
            f"{name}_response",
            *(concat(f"{key}=", value) for key, value in self._about(method)),
        )

    def _about(self, method: Method) -> Iterator[tuple[str, Doc]]:
        yield "fingerprint", f'"{method_hash(self.contract, method)}"'
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
            entries = (
                concat(f"{self.names.reference(e)}: ", f"{self.names.of(MessageRef(e.name))}_error")
                for e in errors
            )
            yield "raises", display("{", entries, "}")


def _variables(depth: int) -> tuple[str, str]:
    """Names for an item and its key inside so many comprehensions."""
    if depth == 0:
        return "item", "key"
    suffix = "" if depth == 1 else f"_{depth}"
    return f"inner{suffix}", f"inner_key{suffix}"
