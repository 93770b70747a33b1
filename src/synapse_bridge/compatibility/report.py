"""Findings as text: for people, for programs, and the reference page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from synapse_bridge.compatibility.findings import Finding
from synapse_bridge.compatibility.rules import RULES, SEVERITIES, Rule, Severity

_TITLES: dict[Severity, str] = {
    "wire": "wire-breaking",
    "source": "source-breaking for Elixir callers",
    "safe": "safe",
}


def to_text(findings: Sequence[Finding]) -> str:
    """For people: what breaks, why, and what to do; what is safe, in a line each."""
    return "\n".join(_lines(findings)) + "\n"


def to_json(findings: Sequence[Finding]) -> str:
    """For programs: ``{"findings": […], "summary": {"wire": n, "source": n, "safe": n}}``."""
    document = {
        "findings": [
            {
                "rule": finding.rule_id,
                "severity": finding.severity,
                "where": finding.where,
                "source": finding.source,
                "what": finding.what,
                "reason": finding.rule.reason,
                "fix": finding.rule.fix,
            }
            for finding in findings
        ],
        "summary": {severity: _count(findings, severity) for severity in SEVERITIES},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    """``1 wire-breaking change, 2 source-breaking, 0 safe``; or that there is none."""
    if not findings:
        return "no change"
    wire, source, safe = (_count(findings, severity) for severity in SEVERITIES)
    return f"{wire} wire-breaking, {source} source-breaking, {safe} safe"


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(finding.severity == severity for finding in findings)


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for severity in SEVERITIES:
        found = [finding for finding in findings if finding.severity == severity]
        if found:
            yield f"{_TITLES[severity]}:"
        for finding in found:
            place = f"{finding.source}: {finding.where}" if finding.source else finding.where
            yield f"  {place}: {finding.what} ({finding.rule_id})"
            if severity != "safe":
                yield f"    {finding.rule.reason}"
                yield f"    → {finding.rule.fix}"
    yield summary(findings)


def reference() -> str:
    """The rules as Markdown, for the documentation."""
    parts = []
    for severity in SEVERITIES:
        rules = [rule for rule in RULES.values() if rule.severity == severity]
        parts.append(f"### {_TITLES[severity].capitalize()}\n\n" + "\n".join(map(_row, rules)))
    return "\n\n".join(parts) + "\n"


def _row(rule: Rule) -> str:
    others = ", ".join(f"`{name}`" for name in rule.buf if name != rule.id)
    buf = f" (buf: {others})" if others else ""
    fix = "" if rule.severity == "safe" else f" → {rule.fix}"
    return f"- **`{rule.id}`**{buf} – {rule.summary} {rule.reason}{fix}"
