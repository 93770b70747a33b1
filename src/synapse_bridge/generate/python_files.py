"""The modules of the Python server: one, or several where one would be too long.

``<stem>_server.py`` has the service and is what is run. Where converters are in modules of their
own, those are ``<stem>_converters_1.py`` and so on; where protobuf's classes are in several,
``<stem>_messages.py`` has them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from synapse_bridge.contract import Contract
from synapse_bridge.contract.registry import ROWS
from synapse_bridge.generate.heading import heading
from synapse_bridge.generate.partition import partition
from synapse_bridge.generate.python import Server
from synapse_bridge.generate.python_layout import WIDTH

MOST_LINES: Final = 4_000
"""Of one module, as far as its functions allow."""


def emit(
    contract: Contract, fingerprint: str, protos: Sequence[str], most: int = MOST_LINES
) -> dict[str, str]:
    """The text of each module, by file name.

    ``protos`` are the stems of the ``.proto`` files, that of the service first.
    """
    return dict(_Modules(contract, fingerprint, protos).files(most))


class _Modules:
    def __init__(self, contract: Contract, fingerprint: str, protos: Sequence[str]) -> None:
        self.contract = contract
        self.stem = contract.service.stem
        self.protos = protos
        self.server = Server(contract, fingerprint)
        self.tables = self.server.tables()
        self.functions = self.server.converters()
        self.pb = f"{protos[0]}_pb2" if len(protos) == 1 else f"{self.stem}_messages"

    def files(self, most: int) -> Iterator[tuple[str, str]]:
        doc = f"gRPC server of `{self.contract.service.module}`."
        tail = [*self.server.service(), "", 'if __name__ == "__main__":', "    serve.main(SERVICE)"]
        main = f"{self.stem}_server.py"
        weights = {name: len(lines) + 2 for name, lines in (self.tables | self.functions).items()}
        if len(self.protos) > 1:
            yield f"{self.pb}.py", self._messages()
        if sum(weights.values()) + len(tail) <= most:
            yield main, self._text(doc, weights, {}, tail)
            return
        needs = {
            name: _words(lines) & weights.keys()
            for name, lines in (self.tables | self.functions).items()
        }
        place: dict[str, str] = {}
        for number, part in enumerate(partition(weights, needs, most), 1):
            module = f"{self.stem}_converters_{number}"
            wanted = {need for name in part for need in needs[name]} - {*part}
            about = f"Converters of the gRPC server of `{self.contract.service.module}`."
            yield f"{module}.py", self._text(about, part, {n: place[n] for n in sorted(wanted)})
            place |= dict.fromkeys(part, module)
        used = sorted(_words(tail) & weights.keys())
        yield main, self._text(doc, (), {name: place[name] for name in used}, tail)

    def _messages(self) -> str:
        # The service's own module comes last, so that the descriptor of its file is DESCRIPTOR.
        *parts, last = [*self.protos[1:], self.protos[0]]
        lines = [
            f"# {heading(self.contract)}",
            "# ruff: noqa: F403",
            f'"""All messages of `{self.contract.service.module}`."""',
            "",
            *(f"from {proto}_pb2 import *" for proto in (*parts, last)),
        ]
        return "\n".join(lines) + "\n"

    def _text(
        self,
        doc: str,
        names: Iterable[str],
        imported: Mapping[str, str],
        tail: Sequence[str] = (),
    ) -> str:
        names = [*names]
        tables = [line for name in names if name in self.tables for line in self.tables[name]]
        functions = [self.functions[name] for name in names if name in self.functions]
        code = _code(line for block in (tables, *functions, tail) for line in block)
        used = _modules_in(code)
        head = [
            f"# {heading(self.contract)}",
            "# isort: skip_file",
            f'"""{doc}"""',
            "",
            "from __future__ import annotations",
            "",
            *_standard(code, used),
            *self._imports(used),
            *_from(imported),
            *(["", *tables] if tables else []),
        ]
        blocks = [head, *functions, *([tail] if tail else [])]
        return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"

    def _imports(self, used: set[str]) -> list[str]:
        modules = {row.python_import: row.python_import for row in ROWS.values()}
        modules = {f"import {one}": one for one in modules if one}
        modules |= dict(self.server.names.imports())
        modules[f"import {self.pb} as pb"] = "pb"
        found = sorted(line for line, bound in modules.items() if bound in used)
        # Importing a module of a package binds the package, too.
        packages = {line.rpartition(".")[0] for line in found if " as " not in line}
        found = [line for line in found if line not in packages]
        parts = ", ".join(name for name in ("agents", "serve") if name in used)
        ours = [f"from synapse_bridge import {parts}"] if parts else []
        return [*found, *ours]


def _standard(code: str, used: set[str]) -> list[str]:
    """The imports of the standard library, and the empty line behind them."""
    ours = ("Annotated", "Any", "Literal")
    names = [name for name in ours if re.search(rf"(?<!\.)\b{name}\b", code)]
    lines = [f"import {m}" for m in ("collections", "collections.abc") if m in used]
    if names:
        lines.append(f"from typing import {', '.join(names)}")
    return [*lines, ""] if lines else []


def _from(imported: Mapping[str, str]) -> list[str]:
    """What comes from modules of converters."""
    lines = []
    for module in sorted(set(imported.values())):
        names = [name for name, place in imported.items() if place == module]
        line = f"from {module} import {', '.join(names)}"
        if len(line) <= WIDTH:
            lines.append(line)
        else:
            lines += [f"from {module} import (", *(f"    {name}," for name in names), ")"]
    return lines


def _modules_in(code: str) -> set[str]:
    """Everything that stands before a dot: ``a.b.c`` uses ``a`` and ``a.b``."""
    found: set[str] = set()
    for path in set(re.findall(r"(?<![\w.])[^\W\d]\w*(?:\.\w+)+", code)):
        parts = path.split(".")
        found.update(".".join(parts[:n]) for n in range(1, len(parts)))
    return found


def _words(lines: Iterable[str]) -> set[str]:
    return set(re.findall(r"\w+", _code(lines)))


def _code(lines: Iterable[str]) -> str:
    """The lines without comments and strings."""
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', code)
