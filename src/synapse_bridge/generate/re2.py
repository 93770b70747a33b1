"""Patterns of pydantic (the Rust ``regex`` crate) as patterns of RE2, which protovalidate searches
with: the same text where both mean the same, spelled out where they differ, or ``None``.

In Rust ``\\d``, ``\\w`` and ``\\s`` are Unicode's; in RE2 they are ASCII's. Sources:
https://docs.rs/regex/latest/regex/#syntax and https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re

# Members of a bracket expression. Word characters are those of UTS #18: Alphabetic, M, Nd, Pc and
# Join_Control; of Alphabetic RE2 lacks the property, but has L and Nl, and M holds most of the
# rest, which is circled and squared letters.
_SETS = {
    "d": r"\p{Nd}",
    "s": r"\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}",
    "w": r"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}",
}
_TOKEN = re.compile(
    r"""
      \\[dsw]                                  # a class, spelled out
    | \\[DSW]                                  # its complement
    | \\[tnrfv0aAz]                            # control characters and ends of the text
    | \\[\\.+*?()|\[\]{}^$\#&~/"':,;<>=!@%_`-] # an escaped character
    | \(\?: | \((?!\?) | \) | \|
    | [*+?]\?? | \{\d+(?:,\d*)?\}\??
    | [.^$]
    | [^\\\[\](){}|*+?.^$]                     # a character that stands for itself
    """,
    re.VERBOSE,
)
_BRACKET = re.compile(r"\[(\^?)((?:\\[^pPbBuUxN]|[^\\\[\]&~-]|-)+)\]")
_MEMBER = re.compile(r"\\(.)|(.)", re.DOTALL)
_ESCAPED = frozenset("\\.+*?()|[]{}^$#&~/\"':,;<>=!@%_`-")


def translated(pattern: str) -> str | None:
    """The pattern in RE2's syntax; ``None`` where it is not known to mean the same there."""
    parts = []
    at = 0
    while at < len(pattern):
        if bracket := _BRACKET.match(pattern, at):
            part, end = _bracket(*bracket.groups()), bracket.end()
        elif token := _TOKEN.match(pattern, at):
            part, end = _token(token[0]), token.end()
        else:
            return None
        if part is None:
            return None
        parts.append(part)
        at = end
    return "".join(parts)


def _token(token: str) -> str | None:
    letter = token[-1]
    if token in (r"\d", r"\s", r"\w"):
        return f"[{_SETS[letter]}]"
    if token in (r"\D", r"\S", r"\W"):
        return f"[^{_SETS[letter.lower()]}]"
    if token == r"\0":
        return None
    if token.startswith("\\") and letter in "\"':,;<>=!@%_`/&~#":
        return letter  # RE2 escapes only what has a meaning
    return token


def _bracket(negated: str, members: str) -> str | None:
    """A bracket expression. Rust has operations in them (``&&``, ``--``, ``~~``), RE2 has not."""
    if "--" in members or members.startswith("]"):
        return None
    parts = []
    for escaped, plain in _MEMBER.findall(members):
        if plain:
            parts.append(plain)
        elif escaped in _SETS:
            parts.append(_SETS[escaped])
        elif escaped in "tnrfv" or escaped in r"\.+*?()|[]{}^$-":
            parts.append(f"\\{escaped}")
        elif escaped in _ESCAPED:
            parts.append(escaped)
        else:
            return None
    return f"[{negated}{''.join(parts)}]"
