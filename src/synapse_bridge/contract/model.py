"""The contract: one service, its methods, and every message and enum they need.

Plain immutable data. It is written by :mod:`synapse_bridge.introspect`, read by
:mod:`synapse_bridge.generate`, and stored as JSON by :mod:`synapse_bridge.contract.schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

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
class Annotation:
    """An annotation as Python source, and the module whose names it uses."""

    source: str
    module: str


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a message.

    ``name`` is the Python name and the JSON name; ``proto`` and ``elixir`` are the names there
    (they differ only for reserved words). ``number`` is the protobuf field number. A ``computed``
    field is one that Python makes of the others: it is sent by Python and never taken.
    ``annotation`` is what the configuration puts in the place of the annotation in the code.
    ``serialized``: what travels to callers is what the field's serializer makes of it.
    """

    name: str
    number: int
    type: Type
    default: Default
    doc: str = ""
    proto: str = ""
    elixir: str = ""
    computed: bool = False
    annotation: Annotation | None = None
    serialized: bool = False


@dataclass(frozen=True, slots=True)
class Reserved:
    """A number that nothing may get again, and the Python name of what once had it."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """A model or another class with fields, a declared exception, or the request or response of a
    method.

    ``name`` is the qualified Python name (``shop.models.Order``); for requests and responses it is
    the qualified function name with ``#request`` or ``#response``. ``proto`` is the message's name
    inside the proto package, ``elixir`` its whole Elixir module name. ``module`` is the Python
    module to import for it (it cannot be told from ``name`` where classes nest); empty for a
    request or response. A generic class has a message for each of its ``arguments`` lists, which
    are part of the name (``shop.Page[shop.Item]``). ``extra`` is the map of what a model with
    ``extra="allow"`` holds besides its fields.
    """

    name: str
    proto: str
    elixir: str
    role: Literal["model", "dataclass", "namedtuple", "typed_dict", "error", "request", "response"]
    fields: tuple[Field, ...]
    doc: str = ""
    module: str = ""
    arguments: tuple[Type, ...] = ()
    extra: Field | None = None
    reserved: tuple[Reserved, ...] = ()

    @property
    def is_class(self) -> bool:
        """Whether a class of the user's stands behind it."""
        return self.role not in ("request", "response")


@dataclass(frozen=True, slots=True)
class EnumMember:
    """One value of an enum.

    ``name`` is the Python member name (for a ``Literal``: its value as text), ``value`` what
    Python holds (for what JSON does not have, the name), ``elixir`` the Elixir term as source
    (``:eur``, ``200``), ``proto`` the value's full proto name. Where a ``Literal`` names a member
    of an Enum, ``of`` is that Enum's qualified name, and ``bytes`` where it has bytes, which are
    Latin-1 here.
    """

    name: str
    value: str | int | bool | float
    number: int
    proto: str
    elixir: str
    doc: str = ""
    of: str = ""


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
    reserved: tuple[Reserved, ...] = ()


@dataclass(frozen=True, slots=True)
class UnionMember:
    """One alternative of a union.

    ``name`` says which (``int``, ``cat``), ``proto`` is its field in the message's oneof and
    ``elixir`` its tag (an atom, without the colon). ``positions`` says where Python has it: each is
    a path of indices through the annotation's nested unions, ``None`` left out. There are several
    where alternatives are the same on the wire. Where the annotation's order is not to be relied
    on, there are none, and ``sign`` tells the member: a class or a kind of value.
    """

    name: str
    number: int
    type: Type
    proto: str = ""
    elixir: str = ""
    doc: str = ""
    positions: tuple[tuple[int, ...], ...] = ()
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Union:
    """Alternatives, of which a value is exactly one; in the order of declaration.

    It is called after its alias in the module (role ``alias``), else after its place (``place``),
    as a ``Literal`` is. ``discriminator`` is the Python name of the field whose literal tells the
    members apart, where there is one.
    """

    name: str
    proto: str
    elixir: str
    members: tuple[UnionMember, ...]
    discriminator: str | None = None
    role: Literal["alias", "place"] = "place"
    doc: str = ""
    module: str = ""
    reserved: tuple[Reserved, ...] = ()


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
class AgentTool:
    """A tool that a model may call: an agent's own, with the JSON Schema of its parameters.

    ``approval``: each call of it wants somebody's consent. ``method`` is the name of the method
    that calls it without a model, or empty.
    """

    name: str
    doc: str
    parameters: Mapping[str, JSONValue]
    approval: bool = False
    method: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of pydantic-ai, all of whose calls are methods of the service.

    ``name`` is what its methods begin with, ``variable`` the attribute of the service's module that
    holds it, and ``elixir`` the last part of its Elixir module. ``methods`` maps what a method does
    (``run``, ``run_stream``, ``session``, ``dump_messages``, ``load_messages``) to its name.
    ``output`` is the type of a result, ``deps`` that of the option that callers give, if there is
    one. ``deps_factory`` (``package.module:function``) makes of it what the agent gets. ``models``
    are those that callers may choose from.
    """

    name: str
    variable: str
    elixir: str
    doc: str
    output: Type
    deps: Type | None
    tools: tuple[AgentTool, ...]
    methods: Mapping[str, str]
    deps_factory: str = ""
    models: tuple[str, ...] = ()

    def owns(self, module: str, name: str) -> bool:
        """Whether a class or union of that qualified name is made for this agent of a module."""
        return name.startswith(f"{module}.{self.variable}.")


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
    naive_datetime: Literal["refused", "utc"] = "refused"
    """What a ``datetime`` without a time zone means, where an instant is wanted."""

    @property
    def full_name(self) -> str:
        """The service name on the wire: ``my_python_agent.v1.MyPythonAgentService``."""
        return f"{self.proto_package}.{self.proto}"


@dataclass(frozen=True)
class Contract:
    """Everything both ends must agree on. Messages, enums and unions are sorted by name."""

    service: Service
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    unions: tuple[Union, ...] = ()
    agents: tuple[Agent, ...] = ()

    def message(self, name: str) -> Message:
        """The message of that qualified Python name; ``KeyError`` where there is none."""
        return self._messages[name]

    def enum(self, name: str) -> Enum:
        """The enum of that qualified Python name; ``KeyError`` where there is none."""
        return self._enums[name]

    def union(self, name: str) -> Union:
        """The union of that qualified Python name; ``KeyError`` where there is none."""
        return self._unions[name]

    def named(self) -> tuple[Message | Enum | Union, ...]:
        """Everything that types refer to by name."""
        return (*self.messages, *self.enums, *self.unions)

    @cached_property
    def _messages(self) -> Mapping[str, Message]:
        return {message.name: message for message in self.messages}

    @cached_property
    def _enums(self) -> Mapping[str, Enum]:
        return {enum.name: enum for enum in self.enums}

    @cached_property
    def _unions(self) -> Mapping[str, Union]:
        return {union.name: union for union in self.unions}
