"""Services, messages and enums in proto3, as ``buf format`` writes it and ``buf lint`` accepts it.

Rules for names and layout: https://protobuf.dev/programming-guides/style and
https://buf.build/docs/lint/rules (category STANDARD).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Set
from functools import partial

from synapse_bridge.contract import (
    Contract,
    Custom,
    Enum,
    EnumMember,
    EnumRef,
    Field,
    Message,
    MessageRef,
    Method,
    Required,
    Reserved,
    Scalar,
    TupleOf,
    Union,
    UnionRef,
    names,
)
from synapse_bridge.contract.registry import ROWS, row
from synapse_bridge.contract.wire import Element, Entry, Slot, Wrapped, carried, element, slot
from synapse_bridge.generate import prose, validation
from synapse_bridge.generate.wrappers import Wrapper, Wrappers


def service(contract: Contract) -> list[str]:
    """The lines of the service."""
    return _Proto(contract, rules=False).service()


def definitions(contract: Contract, *, rules: bool) -> dict[str, list[str]]:
    """The lines of every message and enum by name, in the order in which one reads them.

    ``rules`` says the constraints as options of ``buf.validate``.
    """
    proto = _Proto(contract, rules)
    found = {message.proto: proto.message(message) for message in _in_reading_order(contract)}
    for union in sorted(contract.unions, key=lambda union: union.proto):
        found[union.proto] = proto.union(union)
    for enum in sorted(contract.enums, key=lambda enum: enum.proto):
        found[enum.proto] = proto.enum(enum)
    return found | {wrapper.proto: proto.wrapper(wrapper) for wrapper in proto.wrappers}


def _in_reading_order(contract: Contract) -> Iterator[Message]:
    """Requests and responses as their methods come, then models by name."""
    for method in contract.service.methods:
        yield contract.message(method.request)
        yield contract.message(method.response)
    models = (item for item in contract.messages if item.is_class)
    yield from sorted(models, key=lambda message: message.proto)


class _Proto:
    def __init__(self, contract: Contract, rules: bool) -> None:
        self.contract = contract
        self.rules = rules
        self.wrappers = Wrappers(contract)
        self._names = {item.name: item.proto for item in contract.named()}

    def service(self) -> list[str]:
        service = self.contract.service
        rpcs = [self._rpc(method) for method in service.methods]
        return _block("service", service.proto, service.doc, _spaced(rpcs))

    def _rpc(self, method: Method) -> list[str]:
        doc = "\n\n".join(filter(None, (method.doc.summary, method.doc.description)))
        request = self.contract.message(method.request).proto
        response = self.contract.message(method.response).proto
        sent = f"stream {request}" if method.stream else request
        returned = f"stream {response}" if method.streams_result else response
        return [*_comment(doc), f"rpc {method.proto}({sent}) returns ({returned});"]

    def message(self, message: Message) -> list[str]:
        extra = [message.extra] if message.extra else []
        every = (*message.fields, *extra)
        fields = [self._field(field) for field in every]
        reserved = _reserved(message.reserved, names.proto_field, {field.proto for field in every})
        return _block("message", message.proto, message.doc, _spaced([*reserved, *fields]))

    def _field(self, field: Field) -> list[str]:
        demands = prose.requirements(field.type)
        doc = "\n".join(filter(None, (field.doc, f"Constraints: {demands}." if demands else "")))
        one = slot(field.type, field.default)
        rules = validation.field_options(field) if self.rules else []
        head = f"{self._shape(one)} {field.proto} = {field.number}"
        return [*_comment(doc), *_with_options(head, [*_options(one), *rules])]

    def enum(self, enum: Enum) -> list[str]:
        unspecified = names.enum_value(enum.proto, "unspecified")
        values = [[f"{unspecified} = 0;"], *map(self._value, enum.members)]
        taken = {unspecified or "", *(member.proto for member in enum.members)}
        reserved = _reserved(enum.reserved, partial(names.enum_value, enum.proto), taken)
        return _block("enum", enum.proto, enum.doc, _spaced([*reserved, *values]))

    def _value(self, member: EnumMember) -> list[str]:
        return [*_comment(member.doc), f"{member.proto} = {member.number};"]

    def union(self, union: Union) -> list[str]:
        members = [
            [
                *_comment(member.doc),
                *_with_options(
                    f"{self._element(element(member.type))} {member.proto} = {member.number}",
                    validation.member_options(member.type) if self.rules else [],
                ),
            ]
            for member in union.members
        ]
        demands = [[f"option {validation.ONEOF};"]] if self.rules else []
        oneof = _block("oneof", "value", "", _spaced([*demands, *members]))
        taken = {member.proto for member in union.members}
        reserved = _reserved(union.reserved, names.proto_field, taken)
        body = [*(line for part in reserved for line in (*part, "")), *oneof]
        return _block("message", union.proto, union.doc, body)

    def wrapper(self, wrapper: Wrapper) -> list[str]:
        fields = [
            line
            for number, (name, shape) in enumerate(wrapper.fields, 1)
            for line in _with_options(
                f"{self._shape(shape)} {name} = {number}",
                [*_options(shape), *self._item_options(wrapper, number)],
            )
        ]
        return _block("message", wrapper.proto, _PURPOSE[type(wrapper.shape)], fields)

    def _item_options(self, wrapper: Wrapper, number: int) -> list[str]:
        """What is demanded of a tuple's item; of what else is generated nothing is."""
        if not self.rules or not isinstance(wrapper.shape, TupleOf):
            return []
        item = wrapper.shape.items[number - 1]
        return validation.field_options(Field("", number, item, Required()))

    def _shape(self, shape: Slot) -> str:
        item = self._element(shape.element)
        match shape:
            case Slot("optional"):
                return f"optional {item}"
            case Slot("repeated"):
                return ROWS["list"].proto.format(item=item)
            case Slot("map", key=Scalar() as key):
                return ROWS["map"].proto.format(key=self._element(key), value=item)
            case _:
                raise AssertionError(f"a map without a key: {shape}")

    def _element(self, one: Element) -> str:
        template = row(one).proto
        match one:
            case Custom():
                return self._element(carried(one))
            case Wrapped() | TupleOf() | Entry():
                return template.format(name=self.wrappers[one].proto)
            case MessageRef(name) | EnumRef(name) | UnionRef(name):
                return template.format(name=self._names[name])
            case Scalar():
                return template


_PURPOSE = {
    Wrapped: "A wrapper: proto3 by itself cannot tell null, absent and empty apart here.",
    TupleOf: "A tuple.",
    Entry: "An entry of a map whose keys proto3 does not have.",
}


def _options(shape: Slot) -> list[str]:
    option = row(carried(shape.element)).proto_option
    return [option] if option else []


def _with_options(head: str, options: list[str]) -> list[str]:
    match options:
        case []:
            return [f"{head};"]
        case [option]:
            return [f"{head} [{option}];"]
        case _:
            *most, last = (f"  {option}" for option in options)
            return [f"{head} [", *(f"{option}," for option in most), last, "];"]


def _block(kind: str, name: str, doc: str, body: list[str]) -> list[str]:
    if not body:
        return [*_comment(doc), f"{kind} {name} {{}}"]
    indented = [f"  {line}" if line else "" for line in body]
    return [*_comment(doc), f"{kind} {name} {{", *indented, "}"]


def _reserved(
    reserved: tuple[Reserved, ...], proto: Callable[[str], str | None], taken: Set[str]
) -> list[list[str]]:
    """The numbers that are never given again, and the names, as far as no member has them now."""
    if not reserved:
        return []
    numbers = ", ".join(str(one.number) for one in reserved)
    found = sorted({name for one in reserved if (name := proto(one.name)) and name not in taken})
    named = [f"reserved {', '.join(map(json.dumps, found))};"]
    return [[f"reserved {numbers};", *(named if found else [])]]


def _comment(doc: str) -> list[str]:
    return [f"// {line}".rstrip() for line in prose.lines(doc)]


def _spaced(items: list[list[str]]) -> list[str]:
    """One item after the other; a blank line around each that has a comment."""
    body: list[str] = []
    for index, item in enumerate(items):
        if index and (len(item) > 1 or len(items[index - 1]) > 1):
            body.append("")
        body.extend(item)
    return body
