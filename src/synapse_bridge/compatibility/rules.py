"""The rules: one row for each kind of change, with its severity, the reason, and what to do.

Where buf (https://buf.build/docs/breaking/rules) has the same rule, it has the same identifier, or
the row names it in ``buf``; every rule of buf's category ``WIRE_JSON`` that can be broken from
Python is covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["wire", "source", "safe"]
"""``wire``: a client that is deployed may fail, or be understood otherwise. ``source``: it goes on
working, but the Elixir code that calls it may not with a client that is generated anew. ``safe``:
neither."""

SEVERITIES: tuple[Severity, ...] = ("wire", "source", "safe")
"""From the worst to the best."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of change. ``buf`` names buf's rules that find it, too."""

    id: str
    severity: Severity
    summary: str
    reason: str
    fix: str
    buf: tuple[str, ...] = ()


_NO_FIX = "Nothing to do."

_ROWS = (
    Rule(
        "SERVICE_SAME_NAME",
        "wire",
        "The service has another full name.",
        "Calls name the package and the service, and the old name is not served any more.",
        "Keep the name with `proto_package` and `service` in the configuration; publish a new "
        "major version beside the old one.",
        ("FILE_SAME_PACKAGE",),
    ),
    Rule(
        "RPC_NO_DELETE",
        "wire",
        "A function is not there any more.",
        "Old clients call it, and get `unimplemented`.",
        "Keep it until no client calls it. If it was renamed, say so with `renamed:` in the "
        "configuration, and keep a lock: then its rpc stays.",
    ),
    Rule(
        "RPC_SAME_CLIENT_STREAMING",
        "wire",
        "A parameter became a stream, or is none any more.",
        "Old clients send another number of messages than the server reads.",
        "Write a new function beside the old one.",
        ("RPC_SAME_CLIENT_STREAMING",),
    ),
    Rule(
        "RPC_SAME_SERVER_STREAMING",
        "wire",
        "The result became a stream, or is none any more.",
        "Old clients read another number of messages than the server sends.",
        "Write a new function beside the old one.",
        ("RPC_SAME_SERVER_STREAMING",),
    ),
    Rule(
        "RPC_SAME_IDEMPOTENCY_LEVEL",
        "wire",
        "A function is not idempotent any more.",
        "Old clients call it again where they do not know whether a call arrived.",
        "Keep it idempotent, or write a new function beside it.",
        ("RPC_SAME_IDEMPOTENCY_LEVEL",),
    ),
    Rule(
        "FIELD_NO_DELETE",
        "wire",
        "A field or parameter is not there any more.",
        "What old clients send in it is dropped in silence, and what they wait for does not come.",
        "Keep it, with a default, until no client uses it. If it was renamed, say so: "
        '`Annotated[…, RenamedFrom("old")]`, with a lock.',
        ("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"),
    ),
    Rule(
        "MEMBER_NO_DELETE_UNLESS_RESERVED",
        "wire",
        "The number of a deleted member is not reserved.",
        "The next member may get it, and would be taken for the old one.",
        "Keep a lock (`synapse_bridge lock`), which reserves it.",
        (
            "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
            "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ),
    ),
    Rule(
        "RESERVED_NO_DELETE",
        "wire",
        "A number is not reserved any more.",
        "The next member may get it, and would be taken for one that was deleted.",
        "Restore the lock from version control.",
        ("RESERVED_MESSAGE_NO_DELETE", "RESERVED_ENUM_NO_DELETE"),
    ),
    Rule(
        "FIELD_SAME_NUMBER",
        "wire",
        "A field has another number.",
        "Numbers are all that the wire knows of fields.",
        "Restore the lock, which keeps numbers through every change of order.",
    ),
    Rule(
        "FIELD_SAME_TYPE",
        "wire",
        "A field or result is of another type.",
        "The two ends would read each other's bytes as something else, or refuse the value.",
        "Add a field (or function) of the new type beside the old one.",
        (
            "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
            "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
            "RPC_SAME_REQUEST_TYPE",
            "RPC_SAME_RESPONSE_TYPE",
            "FIELD_SAME_ONEOF",
        ),
    ),
    Rule(
        "FIELD_SAME_CARDINALITY",
        "wire",
        "A field is wrapped in another way.",
        "What tells None, absent and empty apart on the wire depends on the type and its default.",
        "Keep the default as it was, or add a field beside the old one.",
        ("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"),
    ),
    Rule(
        "FIELD_SAME_DEFAULT",
        "wire",
        "A default is another one.",
        "Clients that leave it out now mean another value.",
        "Keep the default; let new callers pass the new one.",
        ("FIELD_SAME_DEFAULT",),
    ),
    Rule(
        "FIELD_ADDED_REQUIRED",
        "wire",
        "A new field or parameter has no default.",
        "Old clients do not send it, and are refused.",
        "Give it a default.",
        ("MESSAGE_SAME_REQUIRED_FIELDS",),
    ),
    Rule(
        "FIELD_MADE_REQUIRED",
        "wire",
        "A default was removed.",
        "Old clients that leave the value out are refused.",
        "Keep a default.",
    ),
    Rule(
        "FIELD_NOT_NULLABLE",
        "wire",
        "None is not taken any more.",
        "Old clients that send None are refused, or mean the default now.",
        "Keep `… | None`, and treat None as the function likes.",
    ),
    Rule(
        "RESULT_MADE_OPTIONAL",
        "wire",
        "What is returned may be None, or absent, where it never was.",
        "Old clients wait for a value, and take its absence for an error.",
        "Return a value in every case, or write a new function beside the old one.",
    ),
    Rule(
        "CONSTRAINT_TIGHTENED",
        "wire",
        "A constraint allows less than it did.",
        "Values that old clients rightly send are refused.",
        "Keep the constraint; refuse the value in the function, with a declared exception.",
    ),
    Rule(
        "ENUM_VALUE_NO_DELETE",
        "wire",
        "An enum value that clients send is not there any more.",
        "Old clients that send it are refused.",
        "Keep it until no client sends it. If it was renamed, say so with `renamed:` in the "
        "configuration, with a lock.",
    ),
    Rule(
        "ENUM_VALUE_SAME_NUMBER",
        "wire",
        "An enum value has another number.",
        "Numbers are all that the wire knows of enum values.",
        "Restore the lock, which keeps numbers through every change of order.",
    ),
    Rule(
        "UNION_MEMBER_NO_DELETE",
        "wire",
        "A union does not take one of its members any more.",
        "Old clients that send it are refused.",
        "Keep it until no client sends it.",
    ),
    Rule(
        "UNION_MEMBER_SAME_NUMBER",
        "wire",
        "A union's member has another number.",
        "Numbers are all that the wire knows of members.",
        "Restore the lock, which keeps numbers through every change of order.",
    ),
    Rule(
        "RESULT_UNION_MEMBER_ADDED",
        "wire",
        "A union that is returned has a new member.",
        "Old clients cannot read it, and take the union for missing.",
        "Write a new function beside the old one.",
    ),
    Rule(
        "CLIENT_SAME_MODULE",
        "source",
        "The client is another Elixir module.",
        "Callers name it.",
        "Keep the name with `elixir` in the configuration.",
    ),
    Rule(
        "FUNCTION_SAME_NAME",
        "source",
        "A function has another name in Elixir.",
        "Callers name it.",
        "Keep the old name with `functions` in the configuration.",
    ),
    Rule(
        "FUNCTION_SAME_ARGUMENTS",
        "source",
        "A function takes other positional arguments.",
        "Callers pass them by position. Without a default a parameter is an argument in Elixir, "
        "with one it is an option.",
        "Keep their order, and add parameters with a default, at the end.",
    ),
    Rule(
        "FIELD_SAME_NAME",
        "source",
        "A field or parameter has another name.",
        "Callers name it, and so does JSON. Without a lock it may even be another field, which "
        "took the number of one that was deleted.",
        "Keep the name, with a pydantic alias if Python's has to change.",
        # To buf, a map of another name has entries of another type.
        ("FIELD_SAME_NAME", "FIELD_SAME_JSON_NAME", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"),
    ),
    Rule(
        "FIELD_KEY_MADE_REQUIRED",
        "source",
        "A field that could be left out must be given, if only as nil or empty.",
        "Callers that leave it out get a violation from the new client; on the wire absent is "
        "still None, or empty.",
        "Keep the default.",
    ),
    Rule(
        "STRUCT_NO_DELETE",
        "source",
        "An Elixir module of a type is not there any more.",
        "Callers name structs, enums and unions.",
        "Keep the name of the class.",
        # To buf, a message of another name is another type; the wire has no names of them.
        ("FIELD_WIRE_JSON_COMPATIBLE_TYPE",),
    ),
    Rule(
        "STRUCT_SAME_FORM",
        "source",
        "A type is another thing in Elixir: a struct, a plain map, an exception.",
        "Callers match on it.",
        "Keep the kind of class.",
    ),
    Rule(
        "ENUM_VALUE_SAME_NAME",
        "source",
        "An enum value is another term in Elixir.",
        "Callers name it, and so does JSON.",
        "Keep the name.",
        ("ENUM_VALUE_SAME_NAME",),
    ),
    Rule(
        "RESULT_ENUM_VALUE_NO_DELETE",
        "source",
        "An enum value that is only returned is not there any more.",
        "Callers match on it; it does not come any more.",
        "Keep it, or tell the callers.",
    ),
    Rule(
        "RESULT_UNION_MEMBER_NO_DELETE",
        "source",
        "A union that is only returned lost a member.",
        "Callers match on it; it does not come any more.",
        "Keep it, or tell the callers.",
    ),
    Rule(
        "UNION_MEMBER_SAME_TAG",
        "source",
        "A union's member has another tag.",
        "Callers may write `{tag, value}`.",
        "Keep the names of the types.",
    ),
    Rule(
        "RESULT_ADDED",
        "source",
        "A function that returned None returns a value.",
        "Callers match on `:ok`, and get `{:ok, value}`.",
        "Write a new function beside the old one.",
    ),
    Rule(
        "EXCEPTION_ADDED",
        "source",
        "A function declares a new exception.",
        "What callers got as a `SynapseBridge.Error` is an exception of its own now. Old clients "
        "still get the former.",
        "Tell the callers, who have a new case to handle.",
    ),
    Rule(
        "EXCEPTION_NO_DELETE",
        "source",
        "A function does not declare an exception any more.",
        "Callers match on it; what comes now is a `SynapseBridge.Error`.",
        "Keep the declaration.",
    ),
    Rule("RPC_ADDED", "safe", "A function is new.", "Nobody calls it yet.", _NO_FIX),
    Rule(
        "RPC_MADE_IDEMPOTENT",
        "safe",
        "A function is idempotent now.",
        "New clients may call it again; old ones do not.",
        _NO_FIX,
        ("RPC_SAME_IDEMPOTENCY_LEVEL",),
    ),
    Rule(
        "TIMEOUT_CHANGED",
        "safe",
        "The default deadline of a function is another one.",
        "Each client has the one it was generated with.",
        _NO_FIX,
    ),
    Rule(
        "FIELD_ADDED",
        "safe",
        "A field or parameter is new.",
        "It may be left out, and clients that do not know it skip it.",
        _NO_FIX,
    ),
    Rule(
        "FIELD_MADE_OPTIONAL",
        "safe",
        "A field or parameter has got a default.",
        "Old clients go on sending it.",
        _NO_FIX,
    ),
    Rule(
        "FIELD_MADE_NULLABLE",
        "safe",
        "None is taken, too.",
        "Old clients do not send it.",
        _NO_FIX,
    ),
    Rule(
        "RESULT_NEVER_NONE",
        "safe",
        "What is returned is never None any more.",
        "Callers handle more than what comes.",
        _NO_FIX,
    ),
    Rule(
        "RESULT_DEFAULT_CHANGED",
        "safe",
        "The default of a field that is only returned is another one.",
        "Every field of a result is sent.",
        _NO_FIX,
    ),
    Rule(
        "CONSTRAINT_LOOSENED",
        "safe",
        "A constraint allows more than it did.",
        "Old clients hold to the old one.",
        _NO_FIX,
    ),
    Rule(
        "RESULT_CONSTRAINT_CHANGED",
        "safe",
        "A constraint of what is only returned is another one.",
        "Clients do not check results.",
        _NO_FIX,
    ),
    Rule(
        "ENUM_VALUE_ADDED",
        "safe",
        "An enum has a new value.",
        "Old clients do not send it, and read it as `{:unknown, number}`.",
        "Nothing to do, if callers handle `{:unknown, number}`.",
    ),
    Rule(
        "UNION_MEMBER_ADDED",
        "safe",
        "A union that is taken has a new member.",
        "Old clients do not send it.",
        _NO_FIX,
    ),
    Rule(
        "RESERVED_RESTORED",
        "safe",
        "A member that was deleted is back, with its number.",
        "The number means what it meant.",
        _NO_FIX,
        ("RESERVED_MESSAGE_NO_DELETE", "RESERVED_ENUM_NO_DELETE"),
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _ROWS})
