"""Who calls, and what they may call.

An authenticator turns what a call brings along into an :class:`Identity`, or ``None``. One that
says yes is enough. A client whose call is refused is never told which credential failed, or how.
"""

from synapse_bridge.serve.auth.access import Access, Authenticator, Credentials
from synapse_bridge.serve.auth.build import build

__all__ = ["Access", "Authenticator", "Credentials", "build"]
