"""What was found: a rule, where, and what changed there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from synapse_bridge.compatibility.rules import RULES, SEVERITIES, Rule, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One change. ``where`` is a qualified Python name, ``what`` a sentence without its period;
    ``source`` is the function's ``file:line`` in the new sources, where it is known."""

    rule_id: str
    where: str
    what: str
    source: str = ""

    @property
    def rule(self) -> Rule:
        """The rule that it breaks, or keeps."""
        return RULES[self.rule_id]

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.rule.severity


def breaking(findings: Iterable[Finding], at_least: Severity) -> bool:
    """Whether one of the findings is that bad, or worse."""
    worst = SEVERITIES.index(at_least)
    return any(SEVERITIES.index(finding.severity) <= worst for finding in findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, the worst first, then by place."""
    return sorted(
        set(findings), key=lambda one: (SEVERITIES.index(one.severity), one.where, one.rule_id)
    )
