"""Agents of pydantic-ai as methods of a service.

It needs the extra ``agents`` (``pip install 'synapse_bridge[agents]'``). Nothing else imports it,
unless an agent is named.
"""

from synapse_bridge.agents.refusal import Unfit
from synapse_bridge.agents.service import Service

__all__ = ["Service", "Unfit"]
