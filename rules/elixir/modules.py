"""Which Elixir modules a source text defines and names.

A reading good enough for dependency inference, not a parser: comments, documentation and strings
are left out, code inside `#{…}` of a string is kept.
"""

from __future__ import annotations

import re

_TEXT = re.compile(
    r"""
    (?<!\w)\?(?:\\.|\S)                           # a character: ?"
    | (?:~[a-zA-Z]+)?\"{3}(?:\\.|[^\\])*?\"{3}    # heredocs
    | (?:~[a-zA-Z]+)?'{3}(?:\\.|[^\\])*?'{3}
    | ~[a-zA-Z]+(?:                               # sigils
        \((?:\\.|[^)\\])*\) | \[(?:\\.|[^]\\])*\] | \{(?:\\.|[^}\\])*\} | <(?:\\.|[^>\\])*>
        | /(?:\\.|[^/\\])*/ | \|(?:\\.|[^|\\])*\| | \"(?:\\.|[^\"\\])*\" | '(?:\\.|[^'\\])*'
      )
    | (?P<string>\"(?:\\.|\#\{[^}]*\}|[^\"\\])*\")
    | '(?:\\.|[^'\\])*'
    | \#[^\n]*                                    # a comment
    """,
    re.VERBOSE | re.DOTALL,
)
_INTERPOLATION = re.compile(r"#\{([^}]*)\}")
# Formatted code has its outermost modules at the start of a line; inner ones are theirs.
_DEFINITION = re.compile(r"^(?:defmodule|defprotocol)\s+([A-Z]\w*(?:\.[A-Z]\w*)*)", re.MULTILINE)
_MENTION = re.compile(r"(?<![\w.@:?])([A-Z]\w*(?:\.[A-Z]\w*)*)(?:\.\{([^}]*)\})?")


def _code(text: str) -> str:
    def keep(match: re.Match) -> str:
        return " ".join(_INTERPOLATION.findall(match["string"])) if match["string"] else " "

    return _TEXT.sub(keep, text)


def defined_modules(text: str) -> set[str]:
    return set(_DEFINITION.findall(_code(text)))


def mentioned_modules(text: str) -> set[str]:
    """Every alias in the code, in full: `Shop.{Cart, Order}` is `Shop.Cart` and `Shop.Order`."""
    mentioned = set()
    for name, group in _MENTION.findall(_code(text)):
        members = [member.strip() for member in group.split(",") if member.strip()]
        mentioned |= {f"{name}.{member}" for member in members} if members else {name}
    return mentioned


def enclosing_modules(name: str) -> list[str]:
    """`Shop.Cart.Item` → itself, `Shop.Cart`, `Shop`: who may provide it, most likely first."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
