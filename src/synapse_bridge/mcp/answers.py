"""Results of tools, and failures: what a status becomes for a model that may try again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from google.protobuf import message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FileDescriptor
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from synapse_bridge import declaration
from synapse_bridge.contract.model import Contract
from synapse_bridge.mcp.scalars import Unfit
from synapse_bridge.mcp.writing import Writer

LOG = logging.getLogger("synapse_bridge.mcp")


class Answers:
    """Reads statuses, whose details may be messages of a contract."""

    def __init__(self, contract: Contract, file: FileDescriptor) -> None:
        self._writer = Writer(contract)
        package = contract.service.proto_package
        self._declared = {
            f"{package}.{message.proto}": message.name
            for message in contract.messages
            if message.role == "error"
        }
        self._pool = file.pool

    def error(self, status: Status) -> dict[str, Any]:
        """A status as JSON: ``code``, ``message``, and what its details say.

        ``violations`` are the arguments that do not validate, each with its ``path``, ``rule`` and
        ``message``; ``fields`` those of a declared ``exception``.
        """
        error: dict[str, Any] = {
            "code": _CODES.get(status.code, "UNKNOWN"),
            "message": status.message,
        }
        for detail in status.details:
            error |= self._detail(detail)
        if "violations" in error:
            error.pop("exception", None)  # which is the validator's own
        return error

    def _detail(self, detail: AnyMessage) -> Mapping[str, Any]:
        name = detail.TypeName()
        if name in self._declared:
            return self._fields(name, detail)
        read = _DETAILS.get(name)
        return read(detail) if read else {}

    def _fields(self, name: str, detail: AnyMessage) -> Mapping[str, Any]:
        message = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))()
        detail.Unpack(message)
        try:
            return {"fields": self._writer.write(self._declared[name], message)}
        except Unfit as error:
            LOG.warning("%s: its fields are left away: %s", name, error)
            return {}


_CODES = dict(enumerate(declaration.CODES, 1))


def _violations(detail: AnyMessage) -> Mapping[str, Any]:
    found = BadRequest()
    detail.Unpack(found)
    return {
        "violations": [
            {"path": one.field, "rule": one.reason.lower(), "message": one.description}
            for one in found.field_violations
        ]
    }


def _info(detail: AnyMessage) -> Mapping[str, Any]:
    info = ErrorInfo()
    detail.Unpack(info)
    told = ("exception", "correlation_id")
    found: dict[str, Any] = {name: info.metadata[name] for name in told if name in info.metadata}
    if "violations" in info.metadata:  # not all of them are told
        found["violation_count"] = int(info.metadata["violations"])
    return found


def _retry(detail: AnyMessage) -> Mapping[str, Any]:
    info = RetryInfo()
    detail.Unpack(info)
    return {"retry_after_seconds": info.retry_delay.ToTimedelta().total_seconds()}


def _debug(detail: AnyMessage) -> Mapping[str, Any]:
    info = DebugInfo()
    detail.Unpack(info)
    return {"traceback": [*info.stack_entries, info.detail]}


_DETAILS = {
    "google.rpc.BadRequest": _violations,
    "google.rpc.ErrorInfo": _info,
    "google.rpc.RetryInfo": _retry,
    "google.rpc.DebugInfo": _debug,
}


def violated(place: str, error: Unfit) -> dict[str, Any]:
    """The failure of a call with one violation, like those that a status has."""
    violation = {"path": place, "rule": error.rule, "message": str(error)}
    message = f"{place}: {error}"
    return {"code": "INVALID_ARGUMENT", "message": message, "violations": [violation]}


def text(error: Mapping[str, Any]) -> str:
    """A failure in words: every violation on a line of its own, where there are some."""
    violations = error.get("violations")
    if not violations:
        return f"{error['code']}: {error['message']}"
    lines = [f"- {one['path']}: {one['message']}" for one in violations]
    if "violation_count" in error:
        lines.append(f"- and others: there are {error['violation_count']}")
    return "\n".join([f"{error['code']}: the arguments do not validate", *lines])
