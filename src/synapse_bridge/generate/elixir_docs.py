"""Documentation of a generated client, as Markdown in Elixir's attributes."""

from __future__ import annotations

from synapse_bridge.contract import Contract, Enum, Message, Method
from synapse_bridge.generate import prose
from synapse_bridge.generate.heading import heading


def attribute(name: str, markdown: str | None) -> list[str]:
    """``@doc`` or ``@moduledoc`` with a text, or ``false``."""
    if markdown is None:
        return [f"  @{name} false"]
    body = [f"  {_escaped(line)}" if line else "" for line in prose.lines(markdown)]
    return [f'  @{name} """', *body, '  """']


def _escaped(line: str) -> str:
    line = line.replace("\\", "\\\\").replace("#{", "\\#{").replace('"""', '\\"\\"\\"')
    return line


def inline(text: str) -> str:
    return "\n".join(prose.lines(text))


def spaced(items: list[list[str]]) -> list[str]:
    """Rows one after the other, with a blank line around those of several lines (as formatted)."""
    body: list[str] = []
    for index, item in enumerate(items):
        if index and (len(item) > 1 or len(items[index - 1]) > 1):
            body.append("")
        body.extend(item)
    return body


class Documentation:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def service(self) -> str:
        service = self._contract.service
        first, *rest = prose.lines(service.doc) or [""]
        return "\n".join(
            [
                f"Client of the Python module `{service.module}`.",
                *(["", first, *rest] if first else []),
                "",
                "Put a channel in your supervision tree, then call:",
                "",
                f'    children = [{{{service.elixir}, target: "localhost:50051"}}]',
            ]
        )

    def method(self, method: Method) -> str:
        doc = method.doc
        return (
            "\n\n".join(filter(None, (doc.summary, doc.description)))
            or f"Calls `{method.function}`."
        )

    def bang(self, method: Method, arity: int) -> str:
        value = "" if method.result is None else "returns the bare value and "
        return f"Same as `{method.elixir}/{arity}`, but {value}raises `SynapseBridge.Error`."

    def message(self, message: Message) -> str:
        kind = "model" if message.role == "model" else "dataclass"
        return message.doc or f"The Python {kind} `{message.name}`."

    def enum(self, enum: Enum) -> str:
        return enum.doc or f"The Python enum `{enum.name}`."

    def readme(self) -> str:
        service = self._contract.service
        return f"<!-- {heading(self._contract)} -->\n# {service.elixir}\n"
