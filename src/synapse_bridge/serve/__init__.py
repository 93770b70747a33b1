"""What a generated Python server leans on.

A generated ``<stem>_server.py`` describes a :class:`Service` and holds converters between protobuf
messages and plain dicts; :func:`main` (or :func:`run`) serves it. Importing this package is cheap:
gRPC's server is loaded when a server starts.
"""

from synapse_bridge.serializers import serialized
from synapse_bridge.serve.cli import main, run
from synapse_bridge.serve.custom import Adapted, Annotated, Converted, Flags, Types
from synapse_bridge.serve.exact_scalars import Uint64
from synapse_bridge.serve.held import extra
from synapse_bridge.serve.identity import Identity
from synapse_bridge.serve.loading import CannotServe, load
from synapse_bridge.serve.members import Union, no_member, sent
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.received import entries, missing, unique, with_extra
from synapse_bridge.serve.service import Members, Method, Raised, Service, UnknownNumber
from synapse_bridge.serve.wellknown import (
    from_date,
    from_digits,
    from_duration,
    from_naive_datetime,
    from_tensor,
    from_time_of_day,
    from_timestamp,
    from_value,
    pattern,
    reveal,
    to_date,
    to_digits,
    to_duration,
    to_naive_datetime,
    to_tensor,
    to_time_of_day,
    to_timestamp,
    to_value,
)

__all__ = [
    "Adapted",
    "Annotated",
    "CannotServe",
    "Converted",
    "Flags",
    "Identity",
    "Members",
    "Method",
    "Options",
    "Raised",
    "Service",
    "Types",
    "Uint64",
    "Union",
    "UnknownNumber",
    "entries",
    "extra",
    "from_date",
    "from_digits",
    "from_duration",
    "from_naive_datetime",
    "from_tensor",
    "from_time_of_day",
    "from_timestamp",
    "from_value",
    "load",
    "main",
    "missing",
    "no_member",
    "pattern",
    "reveal",
    "run",
    "sent",
    "serialized",
    "to_date",
    "to_digits",
    "to_duration",
    "to_naive_datetime",
    "to_tensor",
    "to_time_of_day",
    "to_timestamp",
    "to_value",
    "unique",
    "with_extra",
]
