"""Failures of a call, as ``google.rpc.Status``.

============================  ================  ============================================
what went wrong               code              details
============================  ================  ============================================
arguments do not validate     INVALID_ARGUMENT  ``BadRequest`` with the violations, ``ErrorInfo``
request is no such message    INVALID_ARGUMENT  ``ErrorInfo``
the function raised           by `CODES`        ``ErrorInfo``
the result does not fit       INTERNAL          ``ErrorInfo``; the message has the paths
============================  ================  ============================================

``ErrorInfo`` has the exception's class in UPPER_SNAKE as its reason, the service as its domain, and
as metadata the exception's qualified name (``exception``), the ``contract``, and the
``correlation_id`` of what the server has logged. The text of an exception stays in that log,
unless the server runs with ``--debug``: then it is in the message, and ``DebugInfo`` has the
traceback.

Details travel in a trailer, and gRPC's own clients refuse trailers above 8 KiB by default. So they
are cut to a budget, and what was cut is said.
"""

from __future__ import annotations

import itertools
import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo
from google.rpc.status_pb2 import Status
from pydantic_core import ErrorDetails, ValidationError

from synapse_bridge.serve.call import correlation_id
from synapse_bridge.serve.path import path

LOG = logging.getLogger("synapse_bridge.serve")

CODES: Mapping[type[BaseException], grpc.StatusCode] = MappingProxyType(
    {
        NotImplementedError: grpc.StatusCode.UNIMPLEMENTED,
        TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
        PermissionError: grpc.StatusCode.PERMISSION_DENIED,
        FileNotFoundError: grpc.StatusCode.NOT_FOUND,
        LookupError: grpc.StatusCode.NOT_FOUND,
    }
)
"""The code of an exception that a function raised, by its nearest base; INTERNAL for all others."""

# In bytes of UTF-8.
_MESSAGE = 400
_TEXT = 300
_TRACEBACK = 2_000
_DETAILS = 4_000


class InvalidRequest(Exception):
    """The request is no message of its type. The cause is protobuf's ``DecodeError``."""


class InvalidArguments(Exception):
    """The arguments do not validate. The cause is pydantic's ``ValidationError``."""


class ResultMismatch(Exception):
    """What a function returned does not fit its annotation.

    The text says where and of which type, and never the value, so that a client may see it.
    """

    @classmethod
    def of(cls, error: ValidationError) -> ResultMismatch:
        """The mismatch that a check of the result found."""
        return cls("; ".join(map(_problem, error.errors(include_url=False))))


@dataclass(frozen=True, slots=True)
class Failures:
    """Logs the failures of a service's calls and makes their statuses."""

    service: str
    contract: str
    debug: bool

    def status(self, method: str, error: BaseException) -> Status:
        """The status of a call of ``method`` that ended with ``error``."""
        match error:
            case InvalidArguments(__cause__=ValidationError() as cause):
                LOG.debug("%s/%s: invalid arguments: %s", self.service, method, cause)
                return self._invalid(cause)
            case InvalidRequest(__cause__=Exception() as cause):
                LOG.warning("%s/%s: invalid request: %s", self.service, method, cause)
                message = f"The request is no {error}: were client and server generated together?"
                return _status(grpc.StatusCode.INVALID_ARGUMENT, message, self._info(cause))
            case ResultMismatch():
                correlation = correlation_id()
                LOG.error("%s/%s: %s [%s]", self.service, method, error, correlation)
                message = f"The result of {method} does not fit its annotation: {error}"
                info = self._info(error, correlation_id=correlation)
                return _status(grpc.StatusCode.INTERNAL, message, info)
            case _:
                return self._raised(method, error)

    def _invalid(self, error: ValidationError) -> Status:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        violations = [_violation(detail) for detail in details]
        info = self._info(error)
        carried, size = BadRequest(), info.ByteSize()
        for violation in violations:
            size += violation.ByteSize() + 4
            if size > _DETAILS:
                info.metadata["violations"] = str(len(violations))
                break
            carried.field_violations.append(violation)
        lines = [f"{v.field}: {v.description}" for v in violations]
        return _status(grpc.StatusCode.INVALID_ARGUMENT, _listed(lines), carried, info)

    def _raised(self, method: str, error: BaseException) -> Status:
        correlation = correlation_id()
        name = qualified_name(type(error))
        own = _without_our_frames(error.__traceback__)
        LOG.error(
            "%s/%s raised %s [%s]",
            *(self.service, method, name, correlation),
            exc_info=(type(error), error, own),
        )
        info = self._info(error, correlation_id=correlation)
        codes = (CODES[base] for base in type(error).__mro__ if base in CODES)
        code = next(codes, grpc.StatusCode.INTERNAL)
        if not self.debug:
            message = f"{method} raised {name}; the server's log has the details as {correlation}"
            return _status(code, message, info)
        text = "".join(traceback.format_exception_only(error)).strip()
        trace = _utf8("".join(traceback.format_tb(own)))[-_TRACEBACK:].decode(errors="ignore")
        debug = DebugInfo(stack_entries=trace.splitlines(), detail=_cut(text, _TEXT))
        return _status(code, f"{method} raised {text}", info, debug)

    def _info(self, error: BaseException, **metadata: str) -> ErrorInfo:
        cls = type(error)
        reason = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__)
        return ErrorInfo(
            reason=reason.upper(),
            domain=self.service,
            metadata={"exception": qualified_name(cls), "contract": self.contract, **metadata},
        )


def qualified_name(cls: type) -> str:
    """``builtins.ZeroDivisionError``."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _violation(error: ErrorDetails) -> BadRequest.FieldViolation:
    rule = error["type"]
    return BadRequest.FieldViolation(
        field=_cut(path(error["loc"]), _TEXT),
        description=_cut(error["msg"], _TEXT),
        reason=rule.upper() if re.fullmatch(r"[a-z][a-z0-9_]*", rule) else rule,
    )


def _problem(error: ErrorDetails) -> str:
    place = path(("result", *error["loc"]))
    if error["type"] == "missing":
        return f"{place}: There is no such attribute"
    return f"{place}: {error['msg']}, got {type(error['input']).__qualname__}"


def _listed(lines: Sequence[str]) -> str:
    """As many lines as fit in a status message, and how many more there are."""
    ends = itertools.accumulate(len(_utf8(line)) + 2 for line in lines)
    fitting = sum(end <= _MESSAGE - 20 for end in ends)
    if fitting == len(lines):
        return "; ".join(lines)
    shown = max(fitting, 1)
    more = f"; and {len(lines) - shown} more" if len(lines) > shown else ""
    return _cut("; ".join(lines[:shown]), _MESSAGE - len(more)) + more


def _status(code: grpc.StatusCode, message: str, *details: Message) -> Status:
    status = Status(code=code.value[0], message=_cut(message, _MESSAGE))
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _utf8(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _cut(text: str, size: int) -> str:
    """``text`` in at most ``size`` bytes of UTF-8, which has no lone surrogates."""
    whole = _utf8(text)
    if len(whole) <= size:
        return whole.decode()
    return whole[: size - 3].decode(errors="ignore") + "…"


def _without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from where the user's code begins."""
    while trace and trace.tb_next and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    return trace
