"""Compatibility: two contracts in, what changed between them out, judged by a table of rules.

The question is always the same: does a client that was generated from the *old* contract go on
working with a server of the *new* one, and does the source of an Elixir caller go on compiling and
meaning the same with the client of the new one?
"""

from synapse_bridge.compatibility.compare import compare
from synapse_bridge.compatibility.findings import Finding, breaking
from synapse_bridge.compatibility.rules import RULES, Rule, Severity

__all__ = ["RULES", "Finding", "Rule", "Severity", "breaking", "compare"]
