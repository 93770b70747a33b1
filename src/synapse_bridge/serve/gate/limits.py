"""How many calls a server answers at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from synapse_bridge.serve.exhausted import Exhausted


@dataclass(slots=True)
class Limits:
    """Counts calls. ``calls`` bounds all of them, ``peer_calls`` those of one address."""

    calls: int
    peer_calls: int | None = None
    running: int = 0
    peers: Counter[str] = field(default_factory=Counter)

    def enter(self) -> None:
        """Count a call in; raises :class:`Exhausted`."""
        if self.running >= self.calls:
            raise Exhausted(f"The server answers at most {self.calls} calls at once (max_calls)")
        self.running += 1

    def leave(self) -> None:
        """Count a call out."""
        self.running -= 1

    def enter_peer(self, peer: str) -> str:
        """Count a peer's call in; returns what to count out. Raises :class:`Exhausted`."""
        host = host_of(peer)
        if self.peer_calls is not None and self.peers[host] >= self.peer_calls:
            raise Exhausted(
                f"The server answers at most {self.peer_calls} calls of one address at once "
                "(max_peer_calls)"
            )
        self.peers[host] += 1
        return host

    def leave_peer(self, host: str) -> None:
        """Count a peer's call out, and forget peers without calls."""
        self.peers[host] -= 1
        if not self.peers[host]:
            del self.peers[host]


def host_of(peer: str) -> str:
    """``ipv4:192.0.2.1`` of gRPC's ``ipv4:192.0.2.1:50412``; a Unix socket has one name for all."""
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer
