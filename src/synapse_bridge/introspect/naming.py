"""Names in proto and Elixir for a whole contract, and the check that no two of them meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from synapse_bridge.contract import names, reserved
from synapse_bridge.contract.model import Contract, Enum, Message, Method, Service
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.loading import suggestion
from synapse_bridge.introspect.refusal import IntrospectionError, Place, Refusal, Unsupported


@dataclass(frozen=True, slots=True)
class Naming:
    """What the configuration or the command line says about names; ``None`` means derived.

    ``functions`` maps Python function names to Elixir ones; ``origin`` is where it says so.
    ``naive_datetime`` is what a ``datetime`` without a time zone means. ``rpcs`` are those that the
    lock keeps, by qualified function.
    """

    elixir_module: str | None = None
    proto_package: str | None = None
    service: str | None = None
    functions: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    naive_datetime: Literal["refused", "utc"] = "refused"
    rpcs: Mapping[str, str] = field(default_factory=dict)


def check_name(name: str) -> None:
    """Refuse a name that protobuf or Elixir cannot have in any form."""
    if not names.is_proto_name(name):
        raise Unsupported(
            "protobuf names have only the letters a-z and A-Z, digits and underscores",
            f"rename `{name}`",
        )
    if not name.strip("_"):
        raise Unsupported("a name needs a letter", f"rename `{name}`")


def check_functions(origin: str, key: str, functions: Iterable[str], owner: object) -> None:
    """Refuse what the configuration says of a function that the module or object does not have."""
    for name in functions:
        if not hasattr(owner, name):
            known = [name for name in dir(owner) if not name.startswith("_")]
            raise IntrospectionError(
                f"{origin}: `{key}` has `{name}`, which does not exist" + suggestion(name, known)
            )


def service_names(module: str, doc: str, naming: Naming) -> Service:
    """The names of the whole, without its methods."""
    elixir = naming.elixir_module or names.elixir_module(module)
    _check_elixir_module(elixir, module)
    package = naming.proto_package or names.proto_package(elixir)
    service = naming.service or names.service(elixir)
    naive = naming.naive_datetime
    return Service(module, package, service, elixir, names.stem(elixir), doc, (), naive)


def _check_elixir_module(elixir: str, module: str) -> None:
    if not names.is_elixir_module(elixir):
        raise IntrospectionError(
            f"`{elixir}` cannot be an Elixir module (for the Python module `{module}`)\n"
            "  → give one in CamelCase: `--elixir-module MyApp.Orders`"
        )
    if elixir in reserved.ELIXIR_MODULES or names.stem(elixir) in reserved.ERLANG_APPLICATIONS:
        raise IntrospectionError(
            f"`{elixir}` is taken by Elixir itself (for the Python module `{module}`)\n"
            f"  → give another: `--elixir-module MyApp.{elixir}`"
        )
    generated = {f"{names.stem(elixir)}_{part}" for part in ("server", "pb2", "pb2_grpc")}
    if module in generated:
        raise IntrospectionError(
            f"the bridge of `{elixir}` has a Python module `{module}`, which would hide yours\n"
            f"  → give another Elixir module: `--elixir-module {names.elixir_module(module)}`"
        )


def name_all(
    module: str, doc: str, methods: Iterable[Method], catalogue: Catalogue, naming: Naming
) -> Contract:
    """Give everything its names, and refuse names that meet."""
    service = service_names(module, doc, naming)
    claims = _Claims(catalogue)
    claims.claim("service", service.proto, module)
    methods = [_name_method(method, module, naming, claims) for method in methods]
    _settle_owners(catalogue)
    protos = _class_names(module, catalogue)
    protos |= _exchange_names(service, methods, set(protos.values()))
    for start, owner in catalogue.owners.items():
        claims.claim("message", owner, start.rstrip("."))
    for name, proto in protos.items():
        claims.claim("message", proto, name)
        claims.claim("file", names.underscore(proto), name)
    messages = [
        replace(
            _check_fields(message, claims),
            proto=protos[message.name],
            elixir=_elixir(message.name, protos[message.name], service, catalogue),
        )
        for message in catalogue.messages.values()
    ]
    unions = [
        replace(
            union,
            proto=protos[union.name],
            elixir=_elixir(union.name, protos[union.name], service, catalogue),
        )
        for union in catalogue.unions.values()
    ]
    enums = [
        _name_members(
            replace(
                enum,
                proto=protos[enum.name],
                elixir=_elixir(enum.name, protos[enum.name], service, catalogue),
            ),
            claims,
        )
        for enum in catalogue.enums.values()
    ]
    if claims.refusals:
        raise IntrospectionError.of(claims.refusals)
    return Contract(
        replace(service, methods=tuple(methods)),
        tuple(sorted(messages, key=lambda message: message.name)),
        tuple(sorted(enums, key=lambda enum: enum.name)),
        tuple(sorted(unions, key=lambda union: union.name)),
    )


class _Claims:
    """Who has taken which name, in each scope."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._taken: dict[tuple[str, str], tuple[str, str]] = {}
        self._refusals: dict[tuple[tuple[str, str], tuple[str, str]], Refusal] = {}

    @property
    def refusals(self) -> list[Refusal]:
        """The names that met; one refusal for each two owners."""
        return list(self._refusals.values())

    def claim(self, scope: str, name: str, owner: str, part: str = "") -> None:
        """Take ``name`` for ``part`` of ``owner`` (a qualified name), or refuse it."""
        first, second = self._taken.setdefault((scope, name), (owner, part)), (owner, part)
        if first != second:
            self._refusals.setdefault((first, second), self._refusal(name, first, second))

    def _refusal(self, name: str, first: tuple[str, str], second: tuple[str, str]) -> Refusal:
        place, earlier = self._place(*second), self._place(*first)
        instead = "rename one of them"
        if place.subject.startswith("function"):
            instead += ", or map one to another Elixir name in the configuration"
        reason = f"becomes `{name}`, and so does {earlier.subject} ({earlier})"
        return Refusal(replace(place, annotation=""), reason, instead)

    def _place(self, owner: str, part: str) -> Place:
        if (owner, part) in self._catalogue.parts:
            return self._catalogue.parts[owner, part]
        whole = owner.partition("#")[0]
        place = self._catalogue.places.get(whole) or Place(owner, 0, f"module `{owner}`")
        return replace(place, subject=f"`{part}` of {place.subject}") if part else place


def _name_method(method: Method, module: str, naming: Naming, claims: _Claims) -> Method:
    owner = f"{module}.{method.function}"
    proto = naming.rpcs.get(owner) or names.camelize(method.name)
    elixir = names.elixir_function(method.name)
    if (given := naming.functions.get(method.name)) is not None:
        elixir = names.elixir_function(given)
        if elixir != given:
            raise IntrospectionError(
                f"{naming.origin}: `{given}` is reserved in Elixir\n  → call it `{elixir}`"
            )
    claims.claim("rpc", proto, owner)
    claims.claim("function", elixir, owner)
    if method.streams_result:
        claims.claim("function", f"{elixir}_stream", owner)
    return replace(method, proto=proto, elixir=elixir)


def _class_names(module: str, catalogue: Catalogue) -> dict[str, str]:
    """Proto names of classes, Literals and unions.

    Where modules share one, that of the service's own module keeps it, and the others get their
    module's name in front. What is called after its place makes way for what somebody has named,
    and a private class for a public one.
    """
    found = [name for name in catalogue.local if "#" not in name]
    plain = {name: names.message(_local(name, catalogue)) for name in found}
    count = Counter(map(names.underscore, plain.values()))  # as files, `URL` and `Url` are one
    named = {}
    for name, proto in plain.items():
        home = catalogue.local[name][0]
        shared = count[names.underscore(proto)] > 1 and home != module
        named[name] = names.camelize(home) + proto if shared else proto
    taken = {names.underscore(named[name]) for name in found if not _way(name, catalogue)}
    for name in sorted(name for name in found if _way(name, catalogue)):
        if names.underscore(named[name]) in taken:
            named[name] = _way(name, catalogue).format(named[name])
        taken.add(names.underscore(named[name]))
    return named


def _settle_owners(catalogue: Catalogue) -> None:
    """An agent's module makes way for classes: beside a class ``Weather``, it is
    ``WeatherAgent``."""
    found = [name for name in catalogue.local if "#" not in name]
    taken = {names.message(catalogue.local[n][1]) for n in found if not catalogue.owner(n)}
    for start, elixir in catalogue.owners.items():
        own = (name.removeprefix(start) for name in found if name.startswith(start))
        if taken & {elixir, *(names.message(f"{elixir}.{name}") for name in own)}:
            catalogue.owners[start] = f"{elixir}Agent"


def _local(name: str, catalogue: Catalogue) -> str:
    """What a class is called in its module, or after whom it belongs to."""
    owner = catalogue.owner(name)
    return ".".join(owner) if owner else catalogue.local[name][1]


def _elixir(name: str, proto: str, service: Service, catalogue: Catalogue) -> str:
    """The Elixir module of a class, Literal or union."""
    owner = catalogue.owner(name)
    if owner is None or "#" in name:
        return f"{service.elixir}.{proto}"
    return f"{service.elixir}.{owner[0]}.{names.message(owner[1])}"


def _way(name: str, catalogue: Catalogue) -> str:
    """What becomes of a name that makes way for others; empty for one that does not."""
    if name in catalogue.unions and catalogue.unions[name].role == "place":
        return "{}Union"
    if name in catalogue.enums and catalogue.enums[name].role == "literal":
        return "{}Literal"
    return "Private{}" if catalogue.local[name][1].startswith("_") else ""


def _exchange_names(service: Service, methods: Iterable[Method], taken: set[str]) -> dict[str, str]:
    """Proto names of requests and responses, which make way for a class of the same name."""
    named = {}
    for method in methods:
        for name, suffix in ((method.request, "Request"), (method.response, "Response")):
            proto = f"{method.proto}{suffix}"
            named[name] = f"{service.proto}{proto}" if proto in taken else proto
    return named


def _check_fields(message: Message, claims: _Claims) -> Message:
    """Refuse fields of one message that meet; protobuf compares them as JSON names, too."""
    for field_ in message.fields:
        claims.claim(f"json {message.name}", _json_name(field_.proto), message.name, field_.name)
        claims.claim(f"elixir {message.name}", field_.elixir, message.name, field_.name)
    return message


def _json_name(proto: str) -> str:
    """The lowerCamelCase name by which protoc refuses two fields of one message."""
    first, *rest = proto.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _name_members(enum: Enum, claims: _Claims) -> Enum:
    """Name enum values. In proto they share the scope of the package, hence their prefix.

    A value whose text makes no name, or one that is taken, is named by its number; but members of
    an Enum class have names, which are refused where they meet.
    """
    members = []
    taken = {names.enum_value(enum.proto, "unspecified")}
    for member in enum.members:
        proto = names.enum_value(enum.proto, member.name)
        if proto is None or proto in taken:
            proto = names.enum_value(enum.proto, f"value_{member.number}") or ""
        if enum.role == "literal":
            taken.add(proto)
        claims.claim("value", proto, enum.name, member.name)
        claims.claim(f"term {enum.name}", member.elixir, enum.name, member.name)
        members.append(replace(member, proto=proto))
    return replace(enum, members=tuple(members))
