"""What a generated Python server leans on.

A generated ``<stem>_server.py`` describes a :class:`Service` and holds converters between protobuf
messages and plain dicts; :func:`main` (or :func:`run`) serves it. Importing this package is cheap:
gRPC's server is loaded when a server starts.
"""

from synapse_bridge.serve.cli import main, run
from synapse_bridge.serve.loading import CannotServe, load
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.service import Members, Method, Service, UnknownNumber

__all__ = [
    "CannotServe",
    "Members",
    "Method",
    "Options",
    "Service",
    "UnknownNumber",
    "load",
    "main",
    "run",
]
