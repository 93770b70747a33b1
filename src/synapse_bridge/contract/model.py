"""The contract: one service, its methods, and every message and enum they need.

Plain immutable data. It is written by :mod:`synapse_bridge.introspect`, read by
:mod:`synapse_bridge.generate`, and stored as JSON by :mod:`synapse_bridge.contract.schema`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from synapse_bridge.contract.types import Type

JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"


@dataclass(frozen=True, slots=True)
class Required:
    """No default: the value must be sent."""


@dataclass(frozen=True, slots=True)
class Literally:
    """A default that both sides know: ``value`` as JSON, enum members by their Python name.

    Bytes, models and values that their own type would refuse are never literal; they are
    :class:`Dynamic`.
    """

    value: JSONValue


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A default that only Python can make (a factory, an object): absent on the wire."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """The field of a request that carries one item of a stream: in any message, or in none."""


Default: TypeAlias = "Required | Literally | Dynamic | Streamed"


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a message.

    ``name`` is the Python name and the JSON name; ``proto`` and ``elixir`` are the names there
    (they differ only for reserved words). ``number`` is the protobuf field number.
    """

    name: str
    number: int
    type: Type
    default: Default
    doc: str = ""
    proto: str = ""
    elixir: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A model, dataclass, declared exception, or the request or response of a method.

    ``name`` is the qualified Python name (``shop.models.Order``); for requests and responses it is
    the qualified function name with ``#request`` or ``#response``. ``proto`` is the message's name
    inside the proto package, ``elixir`` its whole Elixir module name. ``module`` is the Python
    module to import for it (it cannot be told from ``name`` where classes nest); empty for a
    request or response.
    """

    name: str
    proto: str
    elixir: str
    role: Literal["model", "dataclass", "error", "request", "response"]
    fields: tuple[Field, ...]
    doc: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class EnumMember:
    """One value of an enum.

    ``name`` is the Python member name (for a ``Literal``: its value as text), ``value`` what
    Python holds, ``elixir`` the Elixir term as source (``:eur``, ``200``), ``proto`` the value's
    full proto name.
    """

    name: str
    value: str | int | bool
    number: int
    proto: str
    elixir: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Enum:
    """An ``enum.Enum`` class or a ``Literal``.

    The number 0 is never a member: on the wire it means "unspecified".
    """

    name: str
    proto: str
    elixir: str
    role: Literal["enum", "literal"]
    members: tuple[EnumMember, ...]
    doc: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """How a field of a request is passed to the function; the field itself is in the request.

    ``kind`` decides how Elixir takes it: ``positional`` ones become arguments; ``keyword`` ones
    (those with a default, and Python's keyword-only ones) become options. ``passing`` is
    how Python gets it.
    """

    name: str
    kind: Literal["positional", "keyword"]
    passing: Literal["by_position", "by_name"] = "by_name"


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring taken apart; every text is plain text or Markdown, as written, dedented."""

    summary: str = ""
    description: str = ""
    params: tuple[tuple[str, str], ...] = ()
    returns: str = ""
    raises: tuple[tuple[str, str], ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """A function (or a method of an instance) that can be called.

    ``name`` is the Python name, ``function`` the expression that reaches it from its module
    (``process_data`` or ``agent.process``), ``proto`` the rpc name, ``elixir`` the function name.
    ``request`` and ``response`` name messages of the contract; ``result`` is the type of the
    response's one field, or ``None`` where the function returns ``None``.

    ``stream`` names the parameter that is a stream: its field has the type of an item. With
    ``streams_result``, the result is one, too, and ``result`` the type of an item. ``context``
    names the parameter that takes a :class:`synapse_bridge.Context`; no field belongs to it.
    ``timeout_ms`` is the default deadline of a call. An ``idempotent`` method may be called
    again where nobody knows whether a call arrived. ``raises`` names the messages of the
    exceptions that are part of the contract.
    """

    name: str
    function: str
    proto: str
    elixir: str
    request: str
    response: str
    parameters: tuple[Parameter, ...]
    result: Type | None
    is_async: bool
    doc: Docstring
    source: str = ""
    """``file.py:line``, relative to the module's import root."""
    stream: str | None = None
    streams_result: bool = False
    context: str | None = None
    timeout_ms: int | None = None
    idempotent: bool = False
    raises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Names of the whole. ``stem`` begins every generated file name."""

    module: str
    proto_package: str
    proto: str
    elixir: str
    stem: str
    doc: str
    methods: tuple[Method, ...]

    @property
    def full_name(self) -> str:
        """The service name on the wire: ``my_python_agent.v1.MyPythonAgentService``."""
        return f"{self.proto_package}.{self.proto}"


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything both ends must agree on. Messages and enums are sorted by name."""

    service: Service
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]

    def message(self, name: str) -> Message:
        """The message of that qualified Python name; ``KeyError`` where there is none."""
        return _named(self.messages, name)

    def enum(self, name: str) -> Enum:
        """The enum of that qualified Python name; ``KeyError`` where there is none."""
        return _named(self.enums, name)


_Named = TypeVar("_Named", Message, Enum)


def _named(items: tuple[_Named, ...], name: str) -> _Named:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(name)
