"""The call that is being answered, for whatever runs in it: handlers, threads, logs."""

from __future__ import annotations

import random
import time
from contextvars import ContextVar
from dataclasses import dataclass, field

from synapse_bridge.serve.identity import Identity


def _new_id() -> str:
    # It is found, and not guessed: there is no need for the operating system's randomness, which
    # costs as much as a tenth of a short call.
    return f"{random.getrandbits(48):012x}"


@dataclass(slots=True)
class Call:
    """What a server knows about a call beside its messages.

    ``method`` is the path on the wire, ``/shop.v1.ShopService/Price``; ``peer`` is gRPC's name of
    the client's end. ``expires`` is where the server itself ends the call, on the monotonic clock.
    ``received`` and ``sent`` count bytes of messages.
    """

    method: str
    peer: str = ""
    identity: Identity | None = None
    expires: float | None = None
    correlation: str = field(default_factory=_new_id)
    received: int = 0
    sent: int = 0

    def time_remaining(self) -> float | None:
        """Seconds until the server ends the call, or ``None`` where it never does."""
        return None if self.expires is None else max(self.expires - time.monotonic(), 0.0)


_CURRENT: ContextVar[Call | None] = ContextVar("synapse_bridge.call", default=None)


def enter(call: Call) -> None:
    """Make a call the current one, to the end of its task."""
    _CURRENT.set(call)


def current() -> Call | None:
    """The current call, or ``None`` where the server has no need to follow its calls."""
    return _CURRENT.get()


def correlation_id() -> str:
    """What names the current call in logs, or a new name."""
    call = _CURRENT.get()
    return call.correlation if call else _new_id()
