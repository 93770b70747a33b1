"""Agents of pydantic-ai as methods of a service.

It needs the extra ``agents`` (``pip install 'synapse_bridge[agents]'``). Nothing else imports it,
unless an agent is named.
"""

from synapse_bridge.agents.definition import checked
from synapse_bridge.agents.refusal import Unfit
from synapse_bridge.agents.service import Service
from synapse_bridge.agents.tools import typed as typed_tools

__all__ = ["Service", "Unfit", "checked", "typed_tools"]
