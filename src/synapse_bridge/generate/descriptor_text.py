"""A ``.proto`` file printed from its descriptor, for where only that is shipped.

Everything that a compiler reads is there, comments are not. It prints what the one file that wants
it has: messages, oneofs, enums, extensions, reservations, and options of all of them; anything else
is refused. Grammar: https://protobuf.com/docs/language-spec.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.message import Message

_OPTIONS = "google/protobuf/descriptor.proto"
_MAX_FIELD = 2**29
_LABELS = {
    FieldDescriptorProto.LABEL_OPTIONAL: "optional ",
    FieldDescriptorProto.LABEL_REQUIRED: "required ",
    FieldDescriptorProto.LABEL_REPEATED: "repeated ",
}


def proto_text(file: FileDescriptorProto) -> str:
    """The text of a proto2 file whose imports are protobuf's own."""
    return _Printer(file).text()


class _Printer:
    def __init__(self, file: FileDescriptorProto) -> None:
        if file.syntax not in ("", "proto2") or file.service:
            raise ValueError(f"{file.name}: only messages of proto2 can be printed")
        self.file = file
        # Options that are extensions of this very file are read with it.
        self._pool = descriptor_pool.DescriptorPool()
        for name in dict.fromkeys((_OPTIONS, *file.dependency)):
            module = importlib.import_module(_module(name))
            self._pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        self._pool.Add(file)

    def text(self) -> str:
        file = self.file
        blocks = [
            ['syntax = "proto2";'],
            [f"package {file.package};"],
            [f'import "{name}";' for name in file.dependency],
            [f"option {option};" for option in self._options(file.options)],
            *map(self._extension, file.extension),
            *map(self._message, file.message_type),
            *map(self._enum, file.enum_type),
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"

    def _extension(self, field: FieldDescriptorProto) -> list[str]:
        return [f"extend {_name(field.extendee)} {{", f"  {self._field(field)}", "}"]

    def _message(self, message: DescriptorProto) -> list[str]:
        if message.nested_type or message.enum_type or message.extension:
            raise ValueError(f"{message.name}: nested definitions cannot be printed")
        members = [f"option {option};" for option in self._options(message.options)]
        members += _reserved(
            ((one.start, one.end - 1) for one in message.reserved_range), message.reserved_name
        )
        ranges = ((one.start, one.end - 1) for one in message.extension_range)
        members += [f"extensions {_range(*one)};" for one in ranges]
        body = [f"  {member}" for member in members]
        begun: set[int] = set()
        for field in message.field:
            if not field.HasField("oneof_index"):
                body.append(f"  {self._field(field)}")
            elif (index := field.oneof_index) not in begun:
                begun.add(index)
                body += [f"  {line}" for line in self._oneof(message, index)]
        return [f"message {message.name} {{", *body, "}"]

    def _oneof(self, message: DescriptorProto, index: int) -> list[str]:
        oneof = message.oneof_decl[index]
        fields = (
            field
            for field in message.field
            if field.HasField("oneof_index") and field.oneof_index == index
        )
        options = (f"  option {option};" for option in self._options(oneof.options))
        members = (f"  {self._field(field, in_oneof=True)}" for field in fields)
        return [f"oneof {oneof.name} {{", *options, *members, "}"]

    def _enum(self, enum: EnumDescriptorProto) -> list[str]:
        members = [f"option {option};" for option in self._options(enum.options)]
        ranges = ((one.start, one.end) for one in enum.reserved_range)
        members += _reserved(ranges, enum.reserved_name)
        members += [f"{v.name} = {v.number}{self._brackets(v.options)};" for v in enum.value]
        return [f"enum {enum.name} {{", *(f"  {member}" for member in members), "}"]

    def _field(self, field: FieldDescriptorProto, in_oneof: bool = False) -> str:
        label = "" if in_oneof else _LABELS[field.label]
        kind = _name(field.type_name) if field.type_name else _KINDS[field.type]
        default = [f"default = {_default(field)}"] if field.HasField("default_value") else []
        options = self._brackets(field.options, default)
        return f"{label}{kind} {field.name} = {field.number}{options};"

    def _brackets(self, options: Message, more: Iterable[str] = ()) -> str:
        found = [*more, *self._options(options)]
        return f" [{', '.join(found)}]" if found else ""

    def _options(self, options: Message) -> Iterator[str]:
        """``name = value`` for each option, and for each value of a repeated one."""
        descriptor = self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        known = message_factory.GetMessageClass(descriptor)()
        known.ParseFromString(options.SerializeToString())
        for field, value in known.ListFields():
            name = f"({field.full_name})" if field.is_extension else field.name
            yield from _option(name, field, value)


def _option(name: str, field: FieldDescriptor, value: Any) -> Iterator[str]:
    if field.is_repeated:
        for one in value:
            yield f"{name} = {_value(field, one)}"
    elif field.is_extension and field.message_type is not None:
        for inner, part in value.ListFields():
            yield from _option(f"{name}.{inner.name}", inner, part)
    else:
        yield f"{name} = {_value(field, value)}"


def _value(field: FieldDescriptor, value: Any) -> str:
    if isinstance(value, Message):
        return "{" + text_format.MessageToString(value, as_one_line=True) + "}"
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, str) else str(value)


def _default(field: FieldDescriptorProto) -> str:
    is_text = field.type == FieldDescriptorProto.TYPE_STRING
    return json.dumps(field.default_value) if is_text else field.default_value


_KINDS = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}


def _module(file: str) -> str:
    """``google/protobuf/any.proto`` → ``google.protobuf.any_pb2``."""
    return file.removesuffix(".proto").replace("/", ".") + "_pb2"


def _name(type_name: str) -> str:
    return type_name.removeprefix(".")


def _reserved(ranges: Iterable[tuple[int, int]], names: Iterable[str]) -> list[str]:
    numbers = ", ".join(_range(*one) for one in ranges)
    quoted = ", ".join(map(json.dumps, names))
    return [f"reserved {part};" for part in (numbers, quoted) if part]


def _range(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first} to {'max' if last == _MAX_FIELD - 1 else last}"
