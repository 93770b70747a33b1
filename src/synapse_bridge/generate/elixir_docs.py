"""Documentation of a generated client: Python's docstrings as Markdown, in Elixir's attributes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from synapse_bridge.contract import (
    Contract,
    Dynamic,
    Enum,
    Field,
    ListOf,
    Literally,
    Message,
    Method,
    Named,
    Required,
    Streamed,
    Union,
)
from synapse_bridge.contract.registry import fill
from synapse_bridge.generate import elixir_fields, prose
from synapse_bridge.generate.markdown import markdown

# Characters that make text read in another order than it is written. Elixir refuses them unescaped.
_BIDIRECTIONAL = re.compile("[\u202a-\u202e\u2066-\u2069]")


def attribute(name: str, text: str | None) -> list[str]:
    """``@doc`` or ``@moduledoc`` with Markdown, or ``false``.

    Whatever the text holds, it stays text: nothing in it ends the heredoc or is interpolated.
    """
    if text is None:
        return [f"  @{name} false"]
    lines = prose.lines(text)
    raw = '"""' not in text and not _BIDIRECTIONAL.search(text)
    sigil = "~S" if raw and ("\\" in text or "#{" in text) else ""
    body = lines if sigil else map(_escaped, lines)
    return [f'  @{name} {sigil}"""', *(f"  {line}" if line else "" for line in body), '  """']


def _escaped(line: str) -> str:
    line = line.replace("\\", "\\\\").replace("#{", "\\#{").replace('"""', '\\"\\"\\"')
    return _BIDIRECTIONAL.sub(lambda match: f"\\u{ord(match[0]):04X}", line)


class Documentation:
    """The Markdown of everything in a client that has documentation."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._modules = {item.name: item.elixir for item in contract.named()}

    def service(self) -> str:
        """The client module."""
        service = self._contract.service
        return paragraphs(
            f"Client of the Python module `{service.module}`.",
            markdown(service.doc),
            "Put a channel in your supervision tree, then call:",
            f'    children = [{{{service.elixir}, target: "localhost:50051"}}]',
            section("Agents", self._agents()),
        )

    def _agents(self) -> str:
        """The modules of the agents, and what each is for."""
        return bullets(
            described(f"`{self._contract.service.elixir}.{agent.elixir}`", agent.doc)
            for agent in self._contract.agents
        )

    def message(self, message: Message) -> str:
        """A message; the list of fields is added by ``SynapseBridge.Message``."""
        return markdown(message.doc) or f"The Python {_ROLES[message.role]} `{message.name}`."

    def enum(self, enum: Enum) -> str:
        """An enum; the list of values is added by ``SynapseBridge.Enum``."""
        if enum.doc:
            return markdown(enum.doc)
        if enum.role == "enum":
            return f"The Python enum `{enum.name}`."
        return f"The literals of `{enum.name}` in Python."

    def union(self, union: Union) -> str:
        """A union; the list of members is added by ``SynapseBridge.Union``."""
        if union.doc:
            return markdown(union.doc)
        return f"The Python union `{union.name}`."

    def method(self, method: Method, arguments: list[Field], options: list[Field]) -> str:
        """A function, from its docstring."""
        doc = method.doc
        stream = _STREAM if method.streams_result else ""
        return paragraphs(
            markdown(doc.summary) or f"Calls the Python function `{method.name}`.",
            markdown(doc.description),
            self._parameters(arguments),
            self._options(options),
            section("Returns", paragraphs(markdown(doc.returns), stream)),
            section("Errors", self._raises(method)),
            section("Examples", "\n\n".join(map(markdown, doc.examples))),
            self._of_agent(method),
        )

    def _of_agent(self, method: Method) -> str:
        """For a method of an agent: where the agent is."""
        for agent in self._contract.agents:
            if method.name in agent.methods.values():
                module = f"{self._contract.service.elixir}.{agent.elixir}"
                return f"The agent's module, `{module}`, calls this."
        return ""

    def bang(self, method: Method, arity: int) -> str:
        """The function that raises."""
        value = "" if method.result is None else "returns the bare value and "
        errors = [f"`{self._modules[name]}`" for name in method.raises]
        raised = " or ".join([*errors, "`SynapseBridge.Error`"])
        return f"Same as `{method.elixir}/{arity}`, but {value}raises {raised}."

    def process_form(self, method: Method, arity: int) -> str:
        """The function that streams to a process."""
        return (
            f"Same as `{method.elixir}/{arity}`, but the items come as messages to the calling "
            "process: see `SynapseBridge.Stream`."
        )

    def _parameters(self, fields: list[Field]) -> str:
        """The parameters, where there is more to say of one than its type."""
        if not any(field.doc or _requirements(field) for field in fields):
            return ""
        return section("Parameters", bullets(self._item(f, f.elixir) for f in fields))

    def _options(self, fields: list[Field]) -> str:
        if not fields:
            return ""
        also = "`t:SynapseBridge.Client.option/0` lists the options of every call."
        return section("Options", f"{self.options(fields)}\n\n{also}")

    def options(self, fields: list[Field]) -> str:
        """A list of options."""
        return bullets(self._item(field, f":{field.elixir}") for field in fields)

    def _item(self, field: Field, name: str) -> str:
        type_ = fill(field.type, "elixir_type", self._name)
        if isinstance(field.default, Streamed):
            type_ = f"Enumerable.t({type_})"
        facts = [f"`{type_}`"]
        if demands := _requirements(field):
            facts.append(demands)
        match field.default:
            case Required() | Streamed() if name.startswith(":"):
                facts.append("required")
            case Dynamic():
                facts.append("default made by Python")
            case Literally(value):
                source = elixir_fields.default(field.type, value, self._contract)
                facts.append(f"default {prose.code(source)}")
        return described(f"`{name}` ({'; '.join(facts)})", field.doc)

    def readme(self) -> str:
        """The README of the package."""
        service = self._contract.service
        about = markdown(service.doc)
        functions = (
            f"`{service.elixir}.{method.elixir}` - {markdown(method.doc.summary)}".removesuffix(
                " - "
            )
            for method in service.methods
        )
        return _README.format(
            module=service.elixir,
            python=service.module,
            app=service.stem,
            about=f"{about}\n\n" if about else "",
            agents=f"## Agents\n\n{textwrap.dedent(self._agents())}\n\n" if self._agents() else "",
            functions=textwrap.dedent(bullets(functions)),
        )

    def _raises(self, method: Method) -> str:
        """The declared exceptions, and what else the docstring says that Python raises."""
        declared = {name.rpartition(".")[2]: name for name in method.raises}
        said = {}
        others = []
        for name, words in method.doc.raises:
            if known := declared.get(name.rpartition(".")[2]):
                said[known] = words
            else:
                others.append(described(f"`{name}`", words) if name else markdown(words))
        modules = (
            described(f"`{self._modules[name]}`", said.get(name, "")) for name in method.raises
        )
        return paragraphs(
            bullets(modules),
            f"What Python raises arrives as `SynapseBridge.Error`:\n\n{bullets(others)}"
            if others
            else "",
        )

    def _name(self, one: Named) -> str:
        return self._modules.get(one.name, "")


_STREAM = """\
A lazy stream: each enumeration is a call of its own, which an error ends by raising it, and which
is cancelled where the enumeration stops early."""

_ROLES = {
    "model": "model",
    "dataclass": "dataclass",
    "namedtuple": "named tuple",
    "typed_dict": "typed dict",
    "error": "exception",
}

_README = """\
# {module}

Elixir client of the Python module `{python}`, generated by Synapse Bridge. Do not edit: generate
it again when the Python code changes.

{about}## Use

Add the package, and a channel to your supervision tree:

```elixir
# mix.exs
{{:{app}, path: "path/to/this/folder"}}
```

The runtime, `:synapse_bridge`, comes from Hex; where the environment variable `SYNAPSE_BRIDGE_PATH`
names a folder, it is taken from there.

```elixir
children = [{{{module}, target: "localhost:50051"}}]
Supervisor.start_link(children, strategy: :one_for_one)
```

Every function returns `{{:ok, value}}` (or `:ok`) or `{{:error, %SynapseBridge.Error{{}}}}`; its
twin with `!` returns the bare value or raises that error. Messages are structs; wherever a function
takes one, a map or a keyword list is as good.

{agents}## Functions

{functions}
"""


def _requirements(field: Field) -> str:
    each = ListOf(field.type) if isinstance(field.default, Streamed) else field.type
    return prose.requirements(each)


def described(subject: str, words: str) -> str:
    """What something is called, and what there is to say of it."""
    return f"{subject} - {markdown(words)}" if words else subject


def section(title: str, text: str) -> str:
    """A text under a heading; nothing where there is no text."""
    return f"## {title}\n\n{text}" if text else ""


def bullets(items: Iterable[str]) -> str:
    """A list; an item of several lines stays one item."""
    return "\n".join("  * " + item.replace("\n", "\n    ") for item in items)


def paragraphs(*parts: str) -> str:
    """Those paragraphs that there are."""
    return "\n\n".join(part for part in parts if part)
