"""The call that a function is answering, for functions that want to know."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

_KEY = re.compile(r"[a-z0-9_.-]+")


class Cancelled(Exception):
    """The call that this thread works for has been cancelled, or its deadline has passed."""


class Context:
    """What a server knows about a call.

    A function gets it by annotating a parameter with this class (or with ``Context | None``, so
    that Python code may leave it out)::

        def scan(folder: str, context: Context) -> Iterator[Hit]:
            for path in walk(folder):
                context.raise_if_cancelled()
                ...

    It may be used from any thread. One made without arguments is that of a call without deadline
    that nobody cancels, which is what a test wants.
    """

    def __init__(
        self,
        *,
        timeout: float | None = None,
        metadata: Sequence[tuple[str, str | bytes]] = (),
        peer: str = "",
        identity: Any = None,
        correlation_id: str = "",
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        """``gone`` is asked whether the client is, from any thread."""
        self._gone = gone
        self._ends = None if timeout is None else time.monotonic() + timeout
        self._deadline = None if timeout is None else datetime.now(UTC) + timedelta(seconds=timeout)
        self._cancelled = threading.Event()
        self._pairs = tuple(metadata)
        self._trailing: tuple[tuple[str, str | bytes], ...] = ()
        self._peer = peer
        self._identity = identity
        self._correlation_id = correlation_id

    @property
    def deadline(self) -> datetime | None:
        """When the call ends, in UTC; ``None`` where it has no deadline."""
        return self._deadline

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, 0 once it has passed; ``None`` where there is none."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: the client has cancelled or gone, or the
        deadline has passed. Never false again once true."""
        if not self._cancelled.is_set() and (self._gone() or self.remaining == 0):
            self._cancelled.set()
        return self._cancelled.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise :class:`Cancelled` if the call is cancelled."""
        if self.cancelled:
            raise Cancelled("the call was cancelled")

    def wait(self, seconds: float) -> bool:
        """Sleep, and wake up at once if the call is cancelled: then true."""
        return self._cancelled.wait(seconds) or self.cancelled

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What the client sent along, by its lower-case key; values of keys that end in ``-bin``
        are bytes. Of a key that was sent more than once, the last value; see :meth:`all_metadata`.
        """
        return MappingProxyType(dict(self._pairs))

    def all_metadata(self, key: str) -> tuple[str | bytes, ...]:
        """All values that the client sent for a key, in their order."""
        return tuple(value for name, value in self._pairs if name == key)

    @property
    def peer(self) -> str:
        """The client's address, as gRPC writes it: ``ipv4:127.0.0.1:51234``, ``unix:``."""
        return self._peer

    @property
    def identity(self) -> Any:
        """Who the client is, as the server's authenticator says; ``None`` without one."""
        return self._identity

    @property
    def correlation_id(self) -> str:
        """What the server's log and an error of this call are marked with."""
        return self._correlation_id

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context that the client sent, if any."""
        found = self.metadata.get("traceparent")
        return found if isinstance(found, str) else None

    def set_trailing_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Send these along when the call ends, in the place of what was set before.

        Keys are lower-case; those of bytes end in ``-bin``, other values are printable ASCII. What
        gRPC would not send is a ``ValueError``.
        """
        for key, value in metadata.items():
            _check(key, value)
        self._trailing = tuple(metadata.items())

    @property
    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What has been set to be sent when the call ends."""
        return self._trailing

    def cancel(self) -> None:
        """Note that the call is cancelled. The server does this; a test may, too."""
        self._cancelled.set()


def _check(key: str, value: str | bytes) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"a metadata key has a-z, 0-9, `_`, `-` and `.` only, not {key!r}")
    if key.startswith("grpc-"):
        raise ValueError(f"metadata keys that begin with `grpc-` are gRPC's own: {key!r}")
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise ValueError(f"the value of {key!r} must be bytes, as its key ends in `-bin`")
    elif not isinstance(value, str):
        raise ValueError(f"the value of {key!r} must be str; the keys of bytes end in `-bin`")
    elif not (value.isascii() and value.isprintable()):
        raise ValueError(f"the value of {key!r} must be printable ASCII; bytes can hold any text")
