"""The lock as a file: JSON with one member to a line, so that merges go line by line.

Sorted by name throughout, and stable to the byte: equal locks give equal text. What a file may hold
is in ``lock.schema.json``, beside this module; a file that holds something else is refused with the
line where it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml

from synapse_bridge.lock.model import KINDS, Lock, Retired, ServiceLock, Table
from synapse_bridge.lock.numbering import PROTOBUFS_OWN

FILE = "synapse.lock.json"
"""What a lock is called where nothing else is said."""

VERSION = 1
SCHEMA_ID = f"urn:synapse-bridge:lock:{VERSION}"

_MEMBERS = {"messages": "fields", "enums": "values", "unions": "members"}
"""What the members of each kind are called in the file."""

_At: TypeAlias = "tuple[str, ...]"


class LockError(Exception):
    """A lock that cannot be used. The message names file and line, and what to do."""


def read(path: Path) -> Lock:
    """The lock in a file; raises :class:`LockError` for what it may not hold."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LockError(f"{path}: it cannot be read: {reason}") from None
    return from_text(text, str(path))


def from_text(text: str, file: str) -> Lock:
    """The lock that :func:`to_text` wrote; ``file`` is for errors."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise LockError(f"{file}:{error.lineno}: it is not JSON: {error.msg}{_merge(text)}") from (
            None
        )
    problem = next(_problems(document, text), None)
    if problem is not None:
        at, what = problem
        raise LockError(f"{file}{_line(text, at)}: {what}")
    return Lock({name: _service(one) for name, one in document["services"].items()})


def to_text(lock: Lock) -> str:
    """The lock as text."""
    document = {
        "$schema": SCHEMA_ID,
        "version": VERSION,
        "services": {name: _document(one) for name, one in sorted(lock.services.items())},
    }
    return _write(document, 0, ()) + "\n"


def document_schema() -> dict[str, Any]:
    """The published JSON Schema of lock files."""
    text = resources.files(__package__ or "").joinpath("lock.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _document(service: ServiceLock) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        kind: {
            owner: {
                _MEMBERS[kind]: dict(sorted(table.numbers.items())),
                "reserved": {
                    str(n): {"name": was.name, "shape": was.shape}
                    for n, was in sorted(table.reserved.items())
                },
            }
            for owner, table in sorted(service.table(kind).items())
        }
        for kind in KINDS
    }
    return {
        **kinds,
        "methods": dict(sorted(service.methods.items())),
        "contract": service.contract,
    }


def _service(document: Mapping[str, Any]) -> ServiceLock:
    tables = {
        kind: {owner: _table(kind, one) for owner, one in document[kind].items()} for kind in KINDS
    }
    return ServiceLock(tables, document["methods"], document["contract"])


def _table(kind: str, document: Mapping[str, Any]) -> Table:
    return Table(
        document[_MEMBERS[kind]],
        {int(n): Retired(**retired) for n, retired in document["reserved"].items()},
    )


def _write(value: Any, depth: int, at: _At) -> str:
    """JSON with one line for each member, and for each part of the contract."""
    if not isinstance(value, dict) or not value or _is_one_line(at):
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys="contract" in at)
    indent = "  " * (depth + 1)
    lines = (
        f"{indent}{json.dumps(key, ensure_ascii=False)}: {_write(inner, depth + 1, (*at, key))}"
        for key, inner in value.items()
    )
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"


def _is_one_line(at: _At) -> bool:
    """Whether what stands there goes on one line: a reservation, a definition of the contract."""
    match at[2:]:
        case (_, _, "reserved", _) | ("contract", "$defs", _):
            return True
        case ("contract", key):
            return key != "$defs"
        case _:
            return False


def _problems(document: Any, text: str) -> Iterator[tuple[_At, str]]:
    """What is wrong with a document: where, and what; the worst first."""
    import jsonschema  # only where a lock is read, and slow to import

    if isinstance(document, dict) and "version" in document and document["version"] != VERSION:
        yield (
            ("version",),
            f"it is a lock of version {document['version']}, and this synapse_bridge knows "
            f"version {VERSION}\n  → use the synapse_bridge that wrote it, or a newer one",
        )
    errors = jsonschema.Draft202012Validator(document_schema()).iter_errors(document)
    worst = jsonschema.exceptions.best_match(errors)
    if worst is not None:
        yield tuple(map(str, worst.absolute_path)), f"{worst.message}{_restore()}"
        return
    yield from _twice(text)
    for target, service in document["services"].items():
        for kind in KINDS:
            for owner, table in service[kind].items():
                yield from _clashes(("services", target, kind, owner), kind, table)


def _clashes(at: _At, kind: str, table: Mapping[str, Any]) -> Iterator[tuple[_At, str]]:
    owner = at[-1]
    seen: dict[int, str] = {}
    for name, n in table[_MEMBERS[kind]].items():
        here = (*at, _MEMBERS[kind], name)
        if n in seen:
            yield (
                here,
                f"`{name}` of {owner} has the number {n}, and so has `{seen[n]}`\n"
                "  → two branches gave it: remove the line of the one that was not released, and "
                "run `synapse_bridge lock`, which gives it another",
            )
        if str(n) in table["reserved"]:
            yield (
                here,
                f"`{name}` of {owner} has the number {n}, which is reserved{_restore()}",
            )
        if kind != "enums" and n in PROTOBUFS_OWN:
            yield here, f"protobuf keeps the number {n} of `{name}` for itself{_restore()}"
        seen[n] = name


def _restore() -> str:
    return "\n  → restore the file from version control, and let `synapse_bridge lock` write it"


def _merge(text: str) -> str:
    if "\n<<<<<<< " not in f"\n{text}":
        return ""
    return "\n  → it has an unfinished merge: keep the lines of both sides"


def _line(text: str, at: _At) -> str:
    """``:7`` where a place is found in the text, else of what is around it."""
    lines = {place: line for place, line, _ in _keys(text)}
    found = next((lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in lines), 1)
    return f":{found}"


def _twice(text: str) -> Iterator[tuple[_At, str]]:
    """Keys that stand twice, of which JSON would take the last in silence."""
    counted = 0

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal counted
        counted += len(found) - len({key for key, _ in found})
        return dict(found)

    json.loads(text, object_pairs_hook=pairs)
    if counted:
        for at, line, first in _keys(text):
            if first != line:
                yield at, f"`{at[-1]}` stands twice; the first is in line {first}{_restore()}"


def _keys(text: str) -> Iterator[tuple[_At, int, int]]:
    """The place of every key, its line, and the line where that key stood first.

    JSON is YAML, and only the YAML parser tells lines; it stumbles over tabs.
    """
    first: dict[_At, int] = {}
    todo: list[tuple[yaml.Node | None, _At]] = [
        (yaml.compose(text.expandtabs(), Loader=yaml.SafeLoader), ())
    ]
    while todo:
        node, at = todo.pop()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            here = (*at, str(key.value))
            line = key.start_mark.line + 1
            yield here, line, first.setdefault(here, line)
            todo.append((value, here))
