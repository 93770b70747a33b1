"""Elixir literals as source, as ``mix format`` leaves them: data that can never become code."""

from __future__ import annotations

import math
import re
import unicodedata

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
# Characters that join the one before them, of which a formatter that counts graphemes would count
# fewer than we do: Thai and Lao AM, halfwidth voicing marks, emoji modifiers and regional letters.
_JOINING = re.compile("[\u0e33\u0eb3\uff9e\uff9f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]")
_OPERATORS = """
    ! != !== % %{} & && &&& * ** + ++ +++ - -- --- -> . .. ... / < <- <<< <<>> <<~ <= <> <|> <~
    <~> = == === =~ > >= >>> @ ^ {} | |> || ||| ~> ~>> ~~~
"""
_PLAIN_ATOM = re.compile(
    "[A-Za-z_][A-Za-z0-9_]*[?!]?|[a-z_\u00df-\u00f6\u00f8-\u00ff][a-z0-9_\u00df-\u00f6\u00f8-\u00ff]*"
)
_KEYWORD_ATOMS = frozenset({"nil", "true", "false"})
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")


def string(value: str) -> str:
    """A double-quoted string. Whatever is not plainly one visible character is escaped."""
    escaped = "".join(map(_character, value))
    return '"' + escaped.replace("#{", "\\#{") + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    plain = unicodedata.category(character)[0] not in "CMZ" or character == " "
    if plain and not _JOINING.match(character) and not _JAMO.match(character):
        return character
    return f"\\u{{{ord(character):X}}}"


def atom(text: str) -> str:
    """An atom of that text: ``:eur``, ``:"in stock"``, ``:<=``.

    ``nil``, ``true`` and ``false`` are not just names, so these get an underscore. Which operators
    and names with an ``@`` need quotes depends on Elixir's version; an escape needs them in each.
    """
    if text in _KEYWORD_ATOMS:
        return f":{text}_"
    if text in _OPERATORS.split() or _PLAIN_ATOM.fullmatch(text):
        return f":{text}"
    quoted = "".join(c if c.isascii() else f"\\u{{{ord(c):X}}}" for c in string(text))
    if re.search(r"[\w\s]", text):
        quoted = quoted.replace("@", "\\x40")
    else:
        quoted = re.sub(r'(?<=^")[^\\"]', lambda first: f"\\x{ord(first[0]):02X}", quoted)
    return f":{quoted}"


def integer(value: int) -> str:
    """An integer; digits in threes where there are six or more."""
    digits = f"{abs(value):_}" if abs(value) >= 100_000 else str(abs(value))
    return f"-{digits}" if value < 0 else digits


def number(value: int | float) -> str:
    """An integer or float; NaN and the infinities are the atoms that the runtime takes for them."""
    if isinstance(value, int):
        return integer(value)
    if math.isnan(value):
        return ":nan"
    if math.isinf(value):
        return ":infinity" if value > 0 else ":negative_infinity"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    source = f"{integer(int(whole))}.{fraction or '0'}"
    source += f"e{int(exponent)}" if exponent else ""
    return f"-{source}" if math.copysign(1, value) < 0 else source


def boolean(value: bool) -> str:
    """``true`` or ``false``."""
    return "true" if value else "false"


def scalar(value: str | int | float | bool) -> str:
    """A string, number or boolean."""
    match value:
        case bool():
            return boolean(value)
        case str():
            return string(value)
        case int() | float():
            return number(value)
