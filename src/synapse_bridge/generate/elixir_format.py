"""A formatter for the Elixir that generated clients are made of.

:func:`statement` takes one statement written on one line and breaks it exactly as ``mix format``
would. It reads as much of the language as is generated: calls with and without parentheses,
literals, containers, keywords, and the operators of typespecs and function heads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from synapse_bridge.generate import elixir_layout as layout
from synapse_bridge.generate.elixir_layout import Term

_TOKEN = re.compile(
    r"""
    (?P<space>\ +)
  | (?P<key>(?:[A-Za-z_]\w*[?!]?|"(?:[^"\\]|\\.)*"):(?=\ ))
  | (?P<operator>::|=>|\\\\|\|)
  | (?P<literal>~[A-Z]\[[^\]]*\]
      | :?"(?:[^"\\]|\\.)*" | :[\w@]+[?!]? | :(?:%?\{\}|[^\s\w"]+?)(?=[,\s)\]}]|$)
      | -?\d[\d_]*(?:\.\d+(?:e-?\d+)?)?)
  | (?P<name>@?[A-Za-z_][\w.]*[?!]?)
  | (?P<bracket>%\{|[()\[\]{},])
    """,
    re.VERBOSE,
)


def statement(source: str, *, indent: int = 2) -> list[str]:
    """The lines of a statement, indented."""
    parser = _Parser(_tokens(source))
    term = parser.statement()
    if not parser.done:
        raise ValueError(f"not Elixir that generated clients are made of: {source}")
    return layout.lines(term, indent=indent)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


_END = _Token("end", "")


def _tokens(source: str) -> list[_Token]:
    tokens = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"not Elixir that generated clients are made of: {source[position:]}")
        tokens.append(_Token(match.lastgroup, match[0]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent. The loosest operator is ``=>``, then ``\\\\``, ``::`` and ``|``."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def statement(self) -> Term:
        name = self._peek()
        if name.kind == "name" and self._peek(1).kind == "space" and self._starts_term(2):
            self._at += 2
            return layout.bare_call(name.text, *self._items(self._expression))
        return self._expression()

    def _starts_term(self, ahead: int) -> bool:
        token = self._peek(ahead)
        return token.kind in ("name", "literal", "key") or token.text in ("%{", "[", "{")

    def _pair(self) -> Term:
        key = self._expression()
        return layout.pair(key, self._expression()) if self._skip_operator("=>") else key

    def _expression(self) -> Term:
        left = self._typed()
        if not self._skip_operator("\\\\"):
            return left
        return layout.default(left, self._typed())

    def _typed(self) -> Term:
        left = self._union()
        return layout.typed(left, self._typed()) if self._skip_operator("::") else left

    def _union(self) -> Term:
        members = [self._operand()]
        while self._skip_operator("|"):
            members.append(self._operand())
        return layout.union(members)

    def _operand(self) -> Term:
        token = self._next()
        match token.text:
            case "[":
                items, keywords = self._closed("]")
                return layout.list_of([*items, *keywords])
            case "{":
                return layout.tuple_of(*self._closed("}"))
            case "%{":
                items, keywords = self._closed("}")
                return layout.map_of([*items, *keywords])
        if token.kind == "name" and self._peek().text == "(":
            self._next()
            arguments, _ = self._closed(")")
            return layout.call(token.text, arguments)
        if token.kind in ("name", "literal"):
            return layout.text(token.text)
        raise ValueError(f"not the start of a term: {token.text!r}")

    def _closed(self, bracket: str) -> tuple[list[Term], list[Term]]:
        """The items and keywords up to a closing bracket."""
        if self._peek().text == bracket:
            self._next()
            return [], []
        found = self._items(self._pair)
        if self._next().text != bracket:
            raise ValueError(f"expected {bracket}")
        return found

    def _items(self, parse: Callable[[], Term]) -> tuple[list[Term], list[Term]]:
        items: list[Term] = []
        keywords: list[Term] = []
        while True:
            self._skip_space()
            if self._peek().kind == "key":
                key = self._next().text[:-1]
                self._skip_space()
                keywords.append(layout.keyword(key, parse()))
            else:
                items.append(parse())
            if self._peek().text != ",":
                return items, keywords
            self._next()

    # Tokens

    def _peek(self, ahead: int = 0) -> _Token:
        index = self._at + ahead
        return self._tokens[index] if index < len(self._tokens) else _END

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _skip_space(self) -> None:
        while self._peek().kind == "space":
            self._at += 1

    def _skip_operator(self, operator: str) -> bool:
        """Whether the operator comes next; if so, it and the spaces around it are consumed."""
        start = self._at
        self._skip_space()
        if self._peek().text == operator:
            self._at += 1
            self._skip_space()
            return True
        self._at = start
        return False
