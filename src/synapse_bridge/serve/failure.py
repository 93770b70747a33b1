"""Failures of a call, as ``google.rpc.Status``.

==============================  ================  ============================================
what went wrong                 code              details
==============================  ================  ============================================
arguments do not validate       INVALID_ARGUMENT  ``BadRequest`` with the violations, ``ErrorInfo``
request is no such message      INVALID_ARGUMENT  ``ErrorInfo``
a declared exception            by `Declared`     its own message, ``ErrorInfo``, ``RetryInfo``
the function raised another     by `CODES`        ``ErrorInfo``
result or exception do not fit  INTERNAL          ``ErrorInfo``; the message has the paths
==============================  ================  ============================================

``ErrorInfo`` has the exception's class in UPPER_SNAKE as its reason, the service as its domain, and
as metadata the exception's qualified name (``exception``), the ``contract``, and the
``correlation_id`` of what the server has logged. The text of an exception stays in that log,
unless the exception is declared, or the server runs with ``--debug``: then it is in the message.
With ``--debug``, ``DebugInfo`` has the traceback.

Details travel in a trailer, and gRPC's own clients refuse trailers above 8 KiB by default. So they
are cut to a budget, and what was cut is said. A declared exception may be larger where the client
has said that it takes more (:func:`fitted`).
"""

from __future__ import annotations

import itertools
import logging
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, DebugInfo, ErrorInfo
from google.rpc.status_pb2 import Status
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError

from synapse_bridge import declaration
from synapse_bridge.context import Cancelled
from synapse_bridge.serve.call import correlation_id
from synapse_bridge.serve.path import path

LOG = logging.getLogger("synapse_bridge.serve")

CODES: Mapping[type[BaseException], grpc.StatusCode] = MappingProxyType(
    {
        ValueError: grpc.StatusCode.INVALID_ARGUMENT,
        LookupError: grpc.StatusCode.NOT_FOUND,
        FileNotFoundError: grpc.StatusCode.NOT_FOUND,
        FileExistsError: grpc.StatusCode.ALREADY_EXISTS,
        PermissionError: grpc.StatusCode.PERMISSION_DENIED,
        TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
        NotImplementedError: grpc.StatusCode.UNIMPLEMENTED,
        ConnectionError: grpc.StatusCode.UNAVAILABLE,
        MemoryError: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Cancelled: grpc.StatusCode.CANCELLED,
    }
)
"""The code of an exception that a function raised, by its nearest base; INTERNAL for all others."""

# In bytes of UTF-8.
_MESSAGE = 400
_TEXT = 300
_TRACEBACK = 2_000
_DETAILS = 4_000  # without a traceback
_DOUBTFUL = 16_384
_MOST_HEADERS = 65_536
_OTHER_HEADERS = 4_000  # status, message, and metadata of the function


class DeadlineExceeded(Exception):
    """A call took longer than the contract allows, which is so many seconds."""


class InvalidRequest(Exception):
    """The request is no message of its type. The cause is protobuf's ``DecodeError``."""


class InvalidArguments(Exception):
    """The arguments do not validate. The cause is pydantic's ``ValidationError``.

    ``within`` is where they are: nowhere in particular, or the stream and position of an item.
    """

    def __init__(self, *within: str | int) -> None:
        super().__init__(f"{path(within)}: the item does not validate" if within else "")
        self.within = within


class ResultMismatch(Exception):
    """What a function returned or raised does not fit its annotation.

    The text says where and of which type, and never the value, so that a client may see it.
    """

    what = "result"

    @classmethod
    def of(cls, error: ValidationError, *index: int, of: str = "result") -> ResultMismatch:
        """The mismatch that a check found in the result, its item at that position, or another
        thing."""
        found = error.errors(include_url=False)
        mismatch = cls("; ".join(_problem((of, *index, *one["loc"]), one) for one in found))
        mismatch.what = of
        return mismatch


@dataclass(frozen=True, slots=True)
class Crossing:
    """What a declared exception becomes: its own message comes first among the details."""

    code: grpc.StatusCode
    text: str
    details: Sequence[Message]


def _undeclared(error: BaseException) -> Crossing | None:
    return None


@dataclass(frozen=True, slots=True)
class Failures:
    """Logs the failures of a service's calls and makes their statuses."""

    service: str
    contract: str
    debug: bool

    def status(
        self,
        method: str,
        error: BaseException,
        crossing: Callable[[BaseException], Crossing | None] = _undeclared,
    ) -> Status:
        """The status of a call of ``method`` that ended with ``error``; ``crossing`` says what
        declared exceptions become."""
        error = _alone(error)
        try:
            declared = crossing(error)
        except ResultMismatch as mismatch:
            error, declared = mismatch, None
        except Exception:
            # A property or `__str__` of the exception has failed itself.
            LOG.exception("%s/%s: what %s holds cannot be read", self.service, method, type(error))
            declared = None
        if declared is not None:
            return self._declared(method, error, declared)
        match error:
            case InvalidArguments(__cause__=ValidationError() as cause):
                LOG.debug("%s/%s: invalid arguments: %s", self.service, method, cause)
                return self._invalid(cause, error.within)
            case InvalidRequest(__cause__=Exception() as cause):
                LOG.warning("%s/%s: invalid request: %s", self.service, method, cause)
                message = f"The request is no {error}: were client and server generated together?"
                return _status(grpc.StatusCode.INVALID_ARGUMENT, message, self._info(cause))
            case Cancelled():
                LOG.info("%s/%s stopped, as its call was cancelled", self.service, method)
                message = f"{method} was cancelled"
                return _status(grpc.StatusCode.CANCELLED, message, self._info(error))
            case DeadlineExceeded():
                LOG.info("%s/%s took longer than %g s", self.service, method, *error.args)
                message = f"{method} took longer than it may, which is {error.args[0]:g} s"
                return _status(grpc.StatusCode.DEADLINE_EXCEEDED, message, self._info(error))
            case ResultMismatch():
                correlation = correlation_id()
                LOG.error(
                    "%s/%s: %s [%s]",
                    *(self.service, method, error, correlation),
                    exc_info=error.__cause__,
                )
                message = f"The {error.what} of {method} does not fit its annotation: {error}"
                info = self._info(error, correlation_id=correlation)
                return _status(grpc.StatusCode.INTERNAL, message, info)
            case _:
                return self._raised(method, error)

    def _invalid(self, error: ValidationError, within: Sequence[str | int]) -> Status:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        violations = [_violation(within, detail) for detail in details]
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

    def _declared(self, method: str, error: BaseException, declared: Crossing) -> Status:
        name = qualified_name(type(error))
        LOG.info("%s/%s raised %s, which it declares", self.service, method, name)
        info = self._info(error)
        first, *others = declared.details
        debug = [self._trace(error)] if self.debug else []
        return _status(declared.code, declared.text, first, info, *others, *debug)

    def _raised(self, method: str, error: BaseException) -> Status:
        correlation = correlation_id()
        name = qualified_name(type(error))
        if isinstance(error, ValidationError):
            error = _without_inputs(error)
        LOG.error(
            "%s/%s raised %s [%s]",
            *(self.service, method, name, correlation),
            exc_info=(type(error), error, _without_our_frames(error.__traceback__)),
        )
        info = self._info(error, correlation_id=correlation)
        code = code_of(type(error)) or grpc.StatusCode.INTERNAL
        if not self.debug:
            message = f"{method} raised {name}; the server's log has the details as {correlation}"
            return _status(code, message, info)
        debug = self._trace(error)
        return _status(code, f"{method} raised {_text(error)}", info, debug)

    def _trace(self, error: BaseException) -> DebugInfo:
        frames = traceback.format_tb(_without_our_frames(error.__traceback__))
        trace = _utf8("".join(frames))[-_TRACEBACK:].decode(errors="ignore")
        return DebugInfo(stack_entries=trace.splitlines(), detail=_cut(_text(error), _TEXT))

    def _info(self, error: BaseException, **metadata: str) -> ErrorInfo:
        cls = type(error)
        reason = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__)
        return ErrorInfo(
            reason=reason.upper(),
            domain=self.service,
            metadata={"exception": qualified_name(cls), "contract": self.contract, **metadata},
        )


def room(largest: int | None) -> int:
    """The bytes of details that a client takes, by the ``largest`` header list that it has named.

    grpcio's clients name a limit of 16 KiB, and refuse some trailers from 8 KiB on. So no more than
    three quarters of a limit are used, and none up to that one is counted on.
    """
    if largest is None or largest <= _DOUBTFUL:
        return _DETAILS
    usable = min(largest, _MOST_HEADERS) * 3 // 4 - _OTHER_HEADERS
    return max(usable * 3 // 4, _DETAILS)  # base64 makes four bytes of three


def fitted(status: Status, room: int) -> Status:
    """A status whose details fit into so many bytes: a declared exception that does not is left
    out, and ``ErrorInfo`` says so. A traceback does not count, and nothing else is so large."""
    kept = [detail for detail in status.details if not detail.Is(DebugInfo.DESCRIPTOR)]
    size = sum(detail.ByteSize() for detail in kept)
    if size <= room:
        return status
    name = kept[0].TypeName()
    LOG.warning("%s is left out of an error: it takes %s bytes, where %s fit", name, size, room)
    others = Status(code=status.code, message=status.message)
    for detail in status.details[1:]:
        info = ErrorInfo()
        if detail.Unpack(info):
            info.metadata.update(omitted=name, omitted_bytes=str(size), room=str(room))
            others.details.add().Pack(info)
        else:
            others.details.append(detail)
    return others


def _alone(error: BaseException) -> BaseException:
    """The one exception of a group: a ``TaskGroup`` puts what a task raises into one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def code_of(cls: type[BaseException]) -> grpc.StatusCode | None:
    """A class's own ``grpc_code`` (a name or a ``StatusCode``), else that of the table."""
    own = getattr(cls, "grpc_code", None)
    name = getattr(own, "name", own)
    if isinstance(name, str) and name in declaration.CODES:
        return grpc.StatusCode[name]
    return next((CODES[base] for base in cls.__mro__ if base in CODES), None)


def qualified_name(cls: type) -> str:
    """``builtins.ZeroDivisionError``."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _violation(within: Sequence[str | int], error: ErrorDetails) -> BadRequest.FieldViolation:
    rule = error["type"]
    return BadRequest.FieldViolation(
        field=_cut(path((*within, *error["loc"])), _TEXT),
        description=_cut(error["msg"], _TEXT),
        reason=rule.upper() if re.fullmatch(r"[a-z][a-z0-9_]*", rule) else rule,
    )


def _problem(location: Sequence[str | int], error: ErrorDetails) -> str:
    place = path(location)
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


def _without_inputs(error: ValidationError) -> ValidationError:
    """The same error without the values that it is about, which may be secret."""
    lines = [
        InitErrorDetails(
            type=PydanticCustomError(detail["type"], "{message}", {"message": detail["msg"]}),
            loc=detail["loc"],
            input=None,
        )
        for detail in error.errors(include_url=False, include_input=False)
    ]
    hidden = ValidationError.from_exception_data(error.title, lines, hide_input=True)
    return hidden.with_traceback(error.__traceback__)


def _text(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


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
