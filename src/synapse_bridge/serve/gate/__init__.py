"""What stands between gRPC and the handlers of a server: limits, credentials, permissions, logs.

:class:`Gate` wraps the handlers of all services alike, of any of the four kinds, and is itself a
generic handler: neither what carries the calls nor what answers them knows of it. A server
without anything configured pays for counting its calls, and for nothing else.
"""

from synapse_bridge.serve.gate.gate import Gate, Handlers, Observer
from synapse_bridge.serve.gate.limits import Limits
from synapse_bridge.serve.gate.rule import Rule

__all__ = ["Gate", "Handlers", "Limits", "Observer", "Rule"]
