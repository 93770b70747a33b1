"""Places in a value, as people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

HIDDEN = "\0"
"""What parts of a location begin with that are none of the value's: choices made by validators."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def path(location: Iterable[str | int]) -> str:
    """Where pydantic found an error: ``data.items[0].prices["odd key"]``.

    pydantic marks an error in a map's key by a last ``[key]``; here it has the path of its entry.
    """
    text = ""
    parts = [part for part in location if not (isinstance(part, str) and part[:1] == HIDDEN)]
    if len(parts) > 1 and parts[-1] == "[key]":
        parts.pop()
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _IDENTIFIER.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text
