"""The ``.proto`` files of a contract: one, or several where one would be too long.

The first has the service. The others, ``<stem>_1.proto`` and so on, share its package, so that in
which file a message stands is of no importance on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from synapse_bridge.contract import Contract
from synapse_bridge.contract.registry import ROWS
from synapse_bridge.generate import proto, validation
from synapse_bridge.generate.heading import heading
from synapse_bridge.generate.partition import partition

MOST_LINES: Final = 2_000
"""Of one file, as far as its definitions allow. protoc makes a stub of twice as many lines."""


def emit(
    contract: Contract, *, rules: bool = True, flat: bool = False, most: int = MOST_LINES
) -> dict[str, str]:
    """The text of each file by its path, that of the service first.

    A path begins with the directory of the package, or is ``flat``: the file's name alone. With
    ``rules`` the constraints are options of ``buf.validate``.
    """
    service = contract.service
    folder = "" if flat else f"{service.proto_package.replace('.', '/')}/"
    definitions = proto.definitions(contract, rules=rules)
    main = f"{folder}{service.stem}.proto"
    weights = {name: len(block) + 1 for name, block in definitions.items()}
    if sum(weights.values()) <= most:
        blocks = [proto.service(contract), *definitions.values()]
        return {main: _file(contract, blocks, ())}
    needs = {name: _words(block) & definitions.keys() for name, block in definitions.items()}
    parts = partition(weights, needs, most)
    place = {
        name: f"{folder}{service.stem}_{number}.proto"
        for number, part in enumerate(parts, 1)
        for name in part
    }
    used = {place[name] for name in _words(proto.service(contract)) & place.keys()}
    files = {main: _file(contract, [proto.service(contract)], used)}
    for part in parts:
        own = place[part[0]]
        used = {place[need] for name in part for need in needs[name]} - {own}
        files[own] = _file(contract, [definitions[name] for name in part], used)
    return files


def _file(contract: Contract, blocks: Iterable[list[str]], parts: Iterable[str]) -> str:
    body = "\n\n".join("\n".join(block) for block in blocks)
    files = {*parts, *_imports(body)}
    head = [
        f"// {heading(contract)}",
        'syntax = "proto3";',
        f"package {contract.service.proto_package};",
    ]
    if files:
        head.append("\n".join(f'import "{file}";' for file in sorted(files)))
    return "\n\n".join([*head, body]) + "\n"


def _imports(body: str) -> Iterable[str]:
    """The files of others that define what is named."""
    code = _code(body.splitlines())
    for row in ROWS.values():
        if row.proto_import and re.search(rf"(?<![\w.]){re.escape(row.proto)}\b", code):
            yield row.proto_import
    if re.search(r"(?<![\w.])\(?buf\.validate\.", code):
        yield validation.FILE


def _words(block: list[str]) -> set[str]:
    return set(re.findall(r"\w+", _code(block)))


def _code(block: Iterable[str]) -> str:
    """The lines without comments and strings."""
    lines = (line for line in block if not line.lstrip().startswith("//"))
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', "\n".join(lines))


def stems(files: Mapping[str, str]) -> list[str]:
    """The files' names without their ending, in order."""
    return [path.rpartition("/")[2].removesuffix(".proto") for path in files]
