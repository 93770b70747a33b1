"""The access log: one line a call, on standard error. It never has metadata, so no credentials."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import grpc

from synapse_bridge.serve.call import Call

_PLAIN = re.compile(r"[!-~]*")


class AccessLog:
    """Writes a line when a call ends: as a JSON object, or as a text of ``key=value``.

    ``received`` and ``sent`` are bytes of messages, ``id`` is the correlation id that errors carry.
    """

    def __init__(self, form: Literal["json", "text"], out: TextIO | None = None) -> None:
        self._line = json.dumps if form == "json" else _text
        self._out = out or sys.stderr

    def begin(self, call: Call, context: object) -> Callable[[grpc.StatusCode], None]:
        """Note that a call begins."""
        started = time.perf_counter()

        def end(code: grpc.StatusCode) -> None:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": call.method,
                "code": code.name,
                "ms": round(1000 * (time.perf_counter() - started), 3),
                "peer": call.peer,
                "identity": call.identity.name if call.identity else None,
                "received": call.received,
                "sent": call.sent,
                "id": call.correlation,
            }
            # One write, so that lines of several processes do not mix.
            self._out.write(self._line(line) + "\n")
            self._out.flush()

        return end


def _text(line: dict[str, Any]) -> str:
    parts = {name: "-" if value is None else str(value) for name, value in line.items()}
    when = parts.pop("time")
    # What comes from a client may hold anything, and must not look like another line or key.
    quoted = (f"{name}={_quoted(value)}" for name, value in parts.items())
    return " ".join((when, *quoted))


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) and '"' not in value else json.dumps(value)
