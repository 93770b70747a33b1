"""What a generated server says about itself: the service, its methods, its enums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

from synapse_bridge.serve.custom import Custom, Types


@dataclass(frozen=True, slots=True)
class Raised:
    """A declared exception: what makes its message, and the attributes that it holds."""

    message: Callable[[Any], Message]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of any of gRPC's four kinds.

    ``function`` is any sync or async callable, also a bound method. ``arguments`` turns a request
    into a dict of the parameters that were sent, models as dicts, not yet validated. ``response``
    makes the response message of a result, or of one item of it, that fits the function's
    annotation.

    ``stream`` names the parameter that is a stream, and ``items`` finds its item in a request: one
    or none. With ``streams_result`` the function gives its results one by one. ``context`` names
    the parameter that takes the call's :class:`~synapse_bridge.Context`. ``timeout``, in seconds,
    is the longest that a call may take. ``raises`` are the declared exceptions.
    ``types`` are those that the service maps by itself, and ``annotations`` what the configuration
    says of parameters (and of the result, as ``return``) in the place of the function.
    ``fingerprint`` is what the contract's fingerprint is to the whole.
    """

    name: str
    function: Callable[..., Any]
    request: type[Message]
    arguments: Callable[[Any], dict[str, Any]]
    response: Callable[[Any], Message]
    _: KW_ONLY
    fingerprint: str = ""
    stream: str | None = None
    items: Callable[[Any], Sequence[Any]] | None = None
    streams_result: bool = False
    context: str | None = None
    timeout: float | None = None
    types: Types = field(default_factory=Types)
    annotations: Mapping[str, Custom] = field(default_factory=dict)
    raises: Mapping[type[BaseException], Raised] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: its full name on the wire, the file that describes it, its methods.

    ``contract`` is the contract's fingerprint. Errors carry it, so that a client that was generated
    from another contract can be told so. ``module`` is what is served, as a configuration names it:
    ``shop.pricing``, or ``shop.pricing:desk`` for an object's methods.
    """

    name: str
    file: FileDescriptor
    contract: str
    methods: tuple[Method, ...]
    module: str = ""


@dataclass(frozen=True, slots=True)
class UnknownNumber:
    """Stands for an enum number that no member has.

    No validator takes it for a member, so the violation comes from the enum's own validator, with
    its path, beside all other violations of the request.
    """

    number: int


class Members(dict[int, Any]):
    """The members of an enum (or the values of a ``Literal``) by their numbers on the wire.

    ``members[7]`` is the member, or an :class:`UnknownNumber`; ``members.number[member]`` is the
    way back, also from a member's value, which is what models with ``use_enum_values`` hold.
    """

    number: Mapping[Any, Any]  # ints, where protobuf's stubs ask for a class of their own

    def __init__(self, members: Mapping[int, Any]) -> None:
        super().__init__(members)
        # Values first: where a value equals a member (a StrEnum), both are the same member.
        values = {getattr(member, "value", member): number for number, member in members.items()}
        self.number = values | {member: number for number, member in members.items()}

    def __missing__(self, number: int) -> UnknownNumber:
        return UnknownNumber(number)
