"""The lock: numbers that a deployed client relies on, kept in a committed file.

Numbers are given by Python name, once. Reordering, adding and deleting members never changes the
number of another; a deleted member's number and name are reserved; a rename is said
(:mod:`synapse_bridge.lock.renames`). The lock also holds the contract that it was written from, so
that a change can be judged without anything else at hand.
"""

from synapse_bridge.lock.document import FILE, LockError, read, to_text
from synapse_bridge.lock.model import EMPTY, Kind, Lock, Retired, ServiceLock, Table
from synapse_bridge.lock.numbering import Member, number
from synapse_bridge.lock.renames import Renames

__all__ = [
    "EMPTY",
    "FILE",
    "Kind",
    "Lock",
    "LockError",
    "Member",
    "Renames",
    "Retired",
    "ServiceLock",
    "Table",
    "number",
    "read",
    "to_text",
]
