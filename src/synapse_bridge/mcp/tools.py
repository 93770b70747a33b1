"""The tools of a contract: one for each function that JSON, and one request, can call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from synapse_bridge.contract import reach
from synapse_bridge.contract.model import Contract, Docstring, Method
from synapse_bridge.contract.schema_write import Schema
from synapse_bridge.contract.types import (
    Custom,
    EnumRef,
    MapOf,
    MessageRef,
    Scalar,
    Type,
    UnionRef,
    unrooted,
)
from synapse_bridge.mcp.schemas import Schemas, kinds

_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
"""https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names"""

_SECRET = frozenset({"secret_string", "secret_bytes"})
_NO_KEYS = frozenset({"double", "any", "tensor"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function as a model sees it; ``method`` is the one of the contract."""

    name: str
    description: str
    method: Method
    input: Schema
    output: Schema | None


@dataclass(frozen=True, slots=True)
class NoTool:
    """A function that cannot be a tool, and why."""

    name: str
    reason: str


def tools(contract: Contract) -> tuple[Sequence[Tool], Sequence[NoTool]]:
    """The tools, in the order of the functions, and the functions that are none."""
    schemas = Schemas(contract)
    made: list[Tool] = []
    others: list[NoTool] = []
    for method in contract.service.methods:
        reason = next(_reasons(contract, method), None)
        if reason is not None:
            others.append(NoTool(method.name, reason))
            continue
        description = _description(method.doc)
        given, output = schemas.input(method), schemas.output(method)
        made.append(Tool(method.name, description, method, given, output))
    return made, others


def _description(doc: Docstring) -> str:
    """What a docstring says, but for the parameters, which the schema describes."""
    raised = [f"- {name}: {text}" if text else f"- {name}" for name, text in doc.raises]
    paragraphs = (
        doc.summary,
        doc.description,
        f"Returns: {doc.returns}" if doc.returns else "",
        "\n".join(["Raises:", *raised]) if raised else "",
    )
    return "\n\n".join(filter(None, paragraphs))


def _reasons(contract: Contract, method: Method) -> Iterator[str]:
    """Why a function cannot be a tool."""
    if not _NAME.fullmatch(method.name):
        yield "the name of a tool has up to 128 of A-Z, a-z, 0-9, `_`, `-` and `.`"
    if method.stream is not None and method.streams_result:
        yield (
            f"`{method.stream}` and the result are both streams, and a tool gets all its arguments "
            "before it begins"
        )
    for type_ in _types(contract, [method.request], sent=False):
        yield from _foreign(type_)
    for type_ in _types(contract, [method.response, *method.raises], sent=True):
        yield from _foreign(type_)
        if isinstance(type_, Scalar) and type_.kind in _SECRET:
            yield "it gives away a secret, which a model would read"


def _types(contract: Contract, messages: Iterable[str], *, sent: bool) -> Iterator[Type]:
    """All types in these messages, directly or not."""
    within = reach.within(contract, messages, sent=sent)
    for ref in [*map(MessageRef, messages), *sorted(within, key=lambda one: one.name)]:
        match ref:
            case MessageRef(name):
                message = contract.message(name)
                held = [f.type for f in message.fields if sent or not f.computed]
                held += [] if message.extra is None else [message.extra.type]
            case UnionRef(name):
                held = [member.type for member in contract.union(name).members]
            case EnumRef():
                held = []
        for type_ in held:
            yield from kinds(type_)


def _foreign(type_: Type) -> Iterator[str]:
    """What JSON does not have."""
    match type_:
        case Scalar("tensor"):
            yield "JSON has no numpy arrays"
        case MapOf(key=key) if not _is_text(key):
            yield "an object of JSON has texts as keys, and these have more in them"


def _is_text(key: Type) -> bool:
    """Whether a key is one text in JSON, or a number or boolean that is written as one."""
    match unrooted(key):
        case Scalar(kind):
            return kind not in _NO_KEYS
        case Custom(inner=inner):
            return _is_text(inner)
        case EnumRef():
            return True
        case _:
            return False
