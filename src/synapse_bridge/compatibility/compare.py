"""Two contracts of one service → every change between them.

Methods are paired by their rpc, what they take and give by its place below them, members by name
and then by number: as the wire does it. So the name of a class is no change on the wire.

What is *taken* (sent by clients) and what is *given* (sent by the server) are judged apart: a value
more is harmless in one and not in the other. A class that is both is held to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from synapse_bridge.compatibility.fields import FieldChanges
from synapse_bridge.compatibility.findings import Finding, in_order
from synapse_bridge.compatibility.types import TypeChanges
from synapse_bridge.contract.model import Contract, Enum, Message, Method, Union


def compare(old: Contract, new: Contract) -> list[Finding]:
    """Every change from the old contract to the new one, the worst first."""
    return in_order(_Comparison(old, new).findings())


class _Comparison:
    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new

    def findings(self) -> Iterator[Finding]:
        yield from self._service()
        before = {method.proto: method for method in self.old.service.methods}
        after = {method.proto: method for method in self.new.service.methods}
        for rpc, method in before.items():
            if rpc in after:
                yield from self._method(method, after[rpc])
            else:
                yield Finding(
                    "RPC_NO_DELETE", self._function(self.old, method), f"rpc `{rpc}` is gone"
                )
        for rpc, method in after.items():
            if rpc not in before:
                where = self._function(self.new, method)
                yield Finding("RPC_ADDED", where, f"rpc `{rpc}` is new", method.source)
        yield from self._members()
        yield from self._modules()

    def _service(self) -> Iterator[Finding]:
        old, new = self.old.service, self.new.service
        if old.full_name != new.full_name:
            what = f"`{old.full_name}` became `{new.full_name}`"
            yield Finding("SERVICE_SAME_NAME", new.module, what)
        if old.elixir != new.elixir:
            what = f"`{old.elixir}` became `{new.elixir}`"
            yield Finding("CLIENT_SAME_MODULE", new.module, what)

    def _function(self, contract: Contract, method: Method) -> str:
        return f"{contract.service.module}.{method.function}"

    def _method(self, old: Method, new: Method) -> Iterator[Finding]:
        where = self._function(self.new, new)

        def found(rule: str, what: str) -> Finding:
            return Finding(rule, where, what, new.source)

        if old.elixir != new.elixir:
            yield found("FUNCTION_SAME_NAME", f"`{old.elixir}` became `{new.elixir}`")
        if (old.stream is None) != (new.stream is None):
            yield found("RPC_SAME_CLIENT_STREAMING", _streams(old.stream or new.stream, new.stream))
        if old.streams_result != new.streams_result:
            what = "the result" + (" became" if new.streams_result else " is not any more")
            yield found("RPC_SAME_SERVER_STREAMING", f"{what} a stream")
        if old.idempotent != new.idempotent:
            rule = "RPC_MADE_IDEMPOTENT" if new.idempotent else "RPC_SAME_IDEMPOTENCY_LEVEL"
            yield found(rule, f"`idempotent`: {old.idempotent} → {new.idempotent}")
        if old.timeout_ms != new.timeout_ms:
            what = f"`timeout`: {_timeout(old.timeout_ms)} → {_timeout(new.timeout_ms)}"
            yield found("TIMEOUT_CHANGED", what)
        if old.result is None and new.result is not None:
            yield found("RESULT_ADDED", "a value comes instead of None")
        before, after = self._arguments(self.old, old), self._arguments(self.new, new)
        if [*before] != [*after]:
            what = f"{_listed(before.values())} became {_listed(after.values())}"
            yield found("FUNCTION_SAME_ARGUMENTS", what)
        raised, raises = self._errors(self.old, old), self._errors(self.new, new)
        for proto in raised.keys() - raises.keys():
            yield found("EXCEPTION_NO_DELETE", f"`{raised[proto].name}` is not declared any more")
        for proto in raises.keys() - raised.keys():
            yield found("EXCEPTION_ADDED", f"`{raises[proto].name}` is declared")

    def _arguments(self, contract: Contract, method: Method) -> dict[int, str]:
        """The positional arguments in order: the numbers of their fields, and their names."""
        positional = {p.name for p in method.parameters if p.kind == "positional"}
        fields = contract.message(method.request).fields
        order = {p.name: n for n, p in enumerate(method.parameters)}
        chosen = sorted(
            (field for field in fields if field.name in positional),
            key=lambda field: order[field.name],
        )
        return {field.number: field.name for field in chosen}

    def _errors(self, contract: Contract, method: Method) -> Mapping[str, Message]:
        """Declared exceptions by the names that the wire has for them."""
        return {message.proto: message for message in map(contract.message, method.raises)}

    def _members(self) -> Iterator[Finding]:
        """What messages, enums and unions hold, as far as methods reach them."""
        types = TypeChanges(self.old, self.new)
        fields = FieldChanges(types)
        after = {method.proto: method for method in self.new.service.methods}
        pairs = ((one, after[one.proto]) for one in self.old.service.methods if one.proto in after)
        for old, new in pairs:
            types.reach_message(old.request, new.request, "taken")
            types.reach_message(old.response, new.response, "given")
            raised, raises = self._errors(self.old, old), self._errors(self.new, new)
            for proto in raised.keys() & raises.keys():
                types.reach_message(raised[proto].name, raises[proto].name, "given")
        while types.messages:
            first, second, role = types.messages.pop()
            yield from fields.message(self.old.message(first), self.new.message(second), role)

    def _modules(self) -> Iterator[Finding]:
        """Elixir modules of types that callers may name."""
        before, after = _modules(self.old), _modules(self.new)
        gone = self.old.service.elixir != self.new.service.elixir
        for module, item in before.items():
            if module not in after and not gone:
                yield Finding("STRUCT_NO_DELETE", item.name, f"`{module}` is gone")
            elif module in after and _form(item) != _form(after[module]):
                what = f"{_form(item)} became {_form(after[module])}"
                yield Finding("STRUCT_SAME_FORM", after[module].name, what)


def _modules(contract: Contract) -> dict[str, Message | Enum | Union]:
    return {
        item.elixir: item
        for item in contract.named()
        if not isinstance(item, Message) or item.is_class
    }


def _form(item: Message | Enum | Union) -> str:
    match item:
        case Message(role="typed_dict"):
            return "a plain map"
        case Message(role="error"):
            return "an exception"
        case Message():
            return "a struct"
        case Enum():
            return "an enum"
        case Union():
            return "a union"


def _streams(name: str | None, now: str | None) -> str:
    return f"`{name}` became a stream" if now else f"`{name}` is not a stream any more"


def _timeout(milliseconds: int | None) -> str:
    return "none" if milliseconds is None else f"{milliseconds / 1000:g} s"


def _listed(names: Iterable[str]) -> str:
    return f"`({', '.join(names)})`"
