"""Docstrings taken apart: Google, NumPy, reST and Epydoc style, by docstring-parser.

A docstring is data and can hold anything. What cannot be taken apart stays in the description, as
it is written. Only the types of parameters and results are left out: annotations say them better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import docstring_parser
from docstring_parser.common import (
    DocstringDeprecated,
    DocstringExample,
    DocstringMeta,
    DocstringParam,
    DocstringRaises,
    DocstringReturns,
    DocstringStyle,
)
from docstring_parser.google import DEFAULT_SECTIONS

from synapse_bridge.contract.model import Docstring

_GOOGLE_HEADING = re.compile(rf"({'|'.join(s.title for s in DEFAULT_SECTIONS)}):\s*\Z")
_OTHERS = (DocstringStyle.REST, DocstringStyle.NUMPYDOC, DocstringStyle.EPYDOC)
_PROSE = re.compile(r"""["'(`:\[]?\w""")


@dataclass(slots=True)
class _Parts:
    """What has been found so far."""

    prose: list[str] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)
    raises: list[tuple[str, str]] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    def add(self, part: DocstringMeta) -> None:
        words = (part.description or "").strip()
        match part:
            case DocstringParam():
                self.params += [(name.strip(), words) for name in part.arg_name.split(",")]
            case DocstringReturns():
                self.returns.append(words or part.type_name or "")
            case DocstringRaises():
                self.raises.append((part.type_name or "", words))
            case DocstringExample():
                self.examples.append("\n".join(s for s in (part.snippet, words) if s))
            case DocstringDeprecated():
                version = f" since {part.version}" if part.version else ""
                self.prose.append(f"Deprecated{version}: {words}")
            case _:
                heading = " ".join(part.args).replace("_", " ").capitalize()
                self.prose.append(f"{heading}: {words}" if heading else words)


def read_docstring(text: str) -> Docstring:
    """A docstring by its parts; ``text`` is without indentation."""
    parts = _google(text) or _other(text) or _Parts([text])
    prose = "\n\n".join(stripped for part in parts.prose if (stripped := part.strip("\n")))
    summary, description = _split(prose)
    return Docstring(
        summary=summary,
        description=description,
        params=tuple(parts.params),
        returns="\n".join(parts.returns).strip(),
        raises=tuple(parts.raises),
        examples=tuple(parts.examples),
    )


def _google(text: str) -> _Parts | None:
    """Sections of Google's style, each on its own: one that is odd does not spoil the others, and
    text between them is not lost. ``None`` where there is none."""
    parts = _Parts([])
    found = False
    for heading, lines in _sections(text):
        block = "\n".join(lines)
        parsed = docstring_parser.Docstring()
        if heading is not None and block.strip():
            try:
                parsed = docstring_parser.google.parse(f"Section.\n\n{heading}\n{block}")
            except Exception:
                # Any text can stand here, and the parser has no list of what it raises.
                parsed.meta = []
        if parsed.meta:
            found = True
            for part in parsed.meta:
                parts.add(part)
        else:
            parts.prose.append(f"{heading}\n{block}" if heading is not None else block)
    return parts if found else None


def _sections(text: str) -> list[tuple[str | None, list[str]]]:
    """Headings of Google's style with the indented lines below; ``None`` heads all other text."""
    found: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in text.splitlines():
        if _GOOGLE_HEADING.match(line):
            found.append((line, []))
            continue
        inside = found[-1][0] is not None
        if inside and line.strip() and not line[0].isspace():
            found.append((None, []))
        found[-1][1].append(line)
    return found


def _other(text: str) -> _Parts | None:
    """The other styles; ``None`` where the text is of none."""
    best = docstring_parser.Docstring()
    for style in _OTHERS:
        try:
            parsed = docstring_parser.parse(text, style)
        except Exception:
            # Any text can stand here, and the parser has no list of what it raises.
            continue
        if len(parsed.meta) > len(best.meta):
            best = parsed
    if not best.meta:
        return None
    parts = _Parts([best.description or ""])
    for part in best.meta:
        parts.add(part)
    return parts


def _split(prose: str) -> tuple[str, str]:
    """The first paragraph as one line, and the rest.

    A paragraph ends early where a line is not plain prose: a list, an underline, a code block.
    """
    lines = prose.strip().splitlines()
    end = 1
    while end < len(lines) and _PROSE.match(lines[end]):
        end += 1
    return " ".join(" ".join(lines[:end]).split()), "\n".join(lines[end:]).strip("\n")
