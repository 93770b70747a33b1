"""Docstrings taken apart: Google, NumPy, reST and Epydoc style, by docstring-parser.

A docstring is data and can hold anything. Whatever cannot be taken apart stays whole.
"""

from __future__ import annotations

import docstring_parser
from docstring_parser.common import (
    DocstringDeprecated,
    DocstringExample,
    DocstringMeta,
    DocstringParam,
    DocstringRaises,
    DocstringReturns,
)

from synapse_bridge.contract.model import Docstring
from synapse_bridge.introspect.source import clean


def read_docstring(text: str | None) -> Docstring:
    """A docstring by its parts; no text of it is lost."""
    text = clean(text)
    if not text:
        return Docstring()
    try:
        parsed = docstring_parser.parse(text)
    except Exception:
        # Any text at all can be a docstring, and the parser has no list of what it raises.
        return _whole(text)
    if not parsed.meta:
        return _whole(text)
    params: list[tuple[str, str]] = []
    raises: list[tuple[str, str]] = []
    examples: list[str] = []
    returns: list[str] = []
    rest: list[str] = []
    for part in parsed.meta:
        words = (part.description or "").strip()
        match part:
            case DocstringParam():
                params.append((part.arg_name, words))
            case DocstringReturns():
                returns.append(words or part.type_name or "")
            case DocstringRaises():
                raises.append((part.type_name or "", words))
            case DocstringExample():
                examples.append("\n".join(s for s in (part.snippet, words) if s))
            case DocstringDeprecated():
                version = f" since {part.version}" if part.version else ""
                rest.append(f"Deprecated{version}: {words}")
            case _:
                rest.append(_section(part, words))
    description = [parsed.long_description or "", *rest]
    return Docstring(
        summary=parsed.short_description or "",
        description="\n\n".join(part.strip() for part in description if part.strip()),
        params=tuple(params),
        returns="\n".join(returns).strip(),
        raises=tuple(raises),
        examples=tuple(examples),
    )


def _whole(text: str) -> Docstring:
    summary, _, description = text.partition("\n\n")
    return Docstring(summary=" ".join(summary.split()), description=description.strip("\n"))


def _section(part: DocstringMeta, words: str) -> str:
    """A section of another name ("Note", "See Also"): its heading and text."""
    heading = " ".join(part.args).replace("_", " ").capitalize()
    return f"{heading}: {words}" if heading else words
