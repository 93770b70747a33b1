"""Docstring prose to Markdown: the markup of reStructuredText that docstrings use.

Text that is Markdown already stays as it is, and so does code, fenced or indented.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from synapse_bridge.generate import prose

_ROLE_WITH_TITLE = re.compile(r":(?:[a-z]+:)*[a-z]+:`([^`<]+?)\s*<[^`>]+>`")
_ROLE = re.compile(r":(?:[a-z]+:)*[a-z]+:`[!]?(~?)([^`]+)`")
_LITERAL = re.compile(r"(?<!`)``(?!`)([^`]+)``(?!`)")
_LINK = re.compile(r"`([^`<]+?)\s*<([^`>]+)>`__?(?!\w)")
_REFERENCE = re.compile(r"`([^`]+)`__?(?!\w)")

_FENCE = re.compile(r"\s*(```|~~~)")
_DOCTEST = re.compile(r"\s*>>> ")
_DIRECTIVE = re.compile(r"\s*\.\. ([\w-]+)::\s*(.*)")
_CODE = {"code", "code-block", "sourcecode", "testcode", "doctest", "math"}
_CHANGES = {"deprecated": "Deprecated", "versionadded": "New", "versionchanged": "Changed"}
_ADMONITIONS = {
    "attention", "caution", "danger", "error", "hint", "important", "note", "tip", "warning",
}  # fmt: skip


def markdown(text: str) -> str:
    """The Markdown of a docstring or a part of one."""
    lines: list[str] = []
    fenced = False
    for line in _Blocks(prose.lines(text)).converted():
        fenced ^= _FENCE.match(line) is not None
        if line or fenced or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n")


def inline(line: str) -> str:
    """The inline markup of a line: literals, roles (``:class:`X```), links."""
    line = _ROLE_WITH_TITLE.sub(r"`\1`", line)
    line = _ROLE.sub(lambda match: f"`{_target(match[2], bool(match[1]))}`", line)
    line = _LITERAL.sub(r"`\1`", line)
    line = _LINK.sub(r"[\1](\2)", line)
    return _REFERENCE.sub(r"\1", line)


def _target(target: str, short: bool) -> str:
    return target.rpartition(".")[2] if short else target


class _Blocks:
    """The lines of a text, block by block."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def converted(self) -> Iterator[str]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            after_blank = self._at == 0 or not self._lines[self._at - 1]
            if fence := _FENCE.match(line):
                yield from self._fenced(fence[1])
            elif _DOCTEST.match(line):
                yield from self._doctest()
            elif directive := _DIRECTIVE.match(line):
                yield from self._directive(directive[1], directive[2])
            elif after_blank and line.startswith("    "):
                yield from self._take_block(0)
            else:
                self._at += 1
                yield from self._paragraph_line(line)

    def _fenced(self, fence: str) -> Iterator[str]:
        """Markdown's own code, as it is; left open it would swallow the rest, so it is closed."""
        yield self._lines[self._at]
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            yield line
            if line.strip() == fence:
                return
        yield fence

    def _doctest(self) -> Iterator[str]:
        start = self._at
        while self._at < len(self._lines) and self._lines[self._at]:
            self._at += 1
        yield from _code_block("python", self._lines[start : self._at])

    def _directive(self, name: str, argument: str) -> Iterator[str]:
        indent = _indent(self._lines[self._at])
        start = self._at
        self._at += 1
        body = textwrap.dedent("\n".join(self._take_block(indent))).strip("\n").split("\n")
        if name in _CODE:
            options = [line for line in body if re.match(r":[\w-]+:", line)]
            code = [line for line in body if line not in options]
            yield from _code_block("" if name == "math" else argument or "python", code)
        elif name in _CHANGES:
            words = f"{_CHANGES[name]} in {argument}." if argument else f"{_CHANGES[name]}."
            yield from _quoted([f"**{words}**", *filter(None, body)])
        elif name in _ADMONITIONS:
            yield from _quoted([f"**{name.capitalize()}:**", *filter(None, [argument, *body])])
        else:
            yield from _code_block("", self._lines[start : self._at])

    def _paragraph_line(self, line: str) -> Iterator[str]:
        if not line.endswith("::"):
            yield inline(line)
            return
        shown = inline(line[:-1] if line.strip() != "::" else "").rstrip()
        yield shown.removesuffix(" :")
        code = self._take_block(_indent(line))
        if code:
            yield ""
            block = textwrap.dedent("\n".join(code)).strip("\n")
            yield from textwrap.indent(block, "    ").split("\n")
            yield ""

    def _take_block(self, indent: int) -> list[str]:
        """The lines that follow and are indented more, blank ones between them included."""
        start = end = self._at
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line and _indent(line) <= indent:
                break
            self._at += 1
            end = self._at if line else end
        self._at = end
        return self._lines[start:end]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _code_block(language: str, lines: list[str]) -> Iterator[str]:
    body = textwrap.dedent("\n".join(lines)).strip("\n")
    fence = "````" if "```" in body else "```"
    yield fence + language
    yield from body.split("\n")
    yield fence


def _quoted(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"> {inline(line)}".rstrip()
    yield ""
