"""``synapse_bridge coverage``: what of a package could cross."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from synapse_bridge.commands.choice import mistakes_told, path_has_working_directory
from synapse_bridge.coverage import Coverage, Verdict, survey

_WIDTH = 120
"""Columns of a table that does not go to a terminal."""


def coverage(
    package: Annotated[
        str, typer.Argument(metavar="PACKAGE", help="An installed package, or a module in it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which models and typed functions of a package could cross, and why others could not.

    All of its modules are imported. Models are Pydantic's, dataclasses, typed dicts and named
    tuples.
    """
    with mistakes_told():
        path_has_working_directory()
        found = survey(package)
    if as_json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    _print(found, console)


def _print(found: Coverage, console: Console) -> None:
    refused = [one for one in (*found.models, *found.functions) if not one.mapped]
    if refused:
        console.print(_table(("refused", "reason"), ((one.name, one.reason) for one in refused)))
        causes = ((str(count), cause) for cause, count in found.reasons().items())
        console.print(_table(("count", "cause"), causes))
    for module, reason in found.unimportable.items():
        console.print(Text(f"{module} cannot be imported: {reason}"))
    console.print(f"{_counted(found.models, 'models')}, {_counted(found.functions, 'functions')}")


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(*head)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _counted(verdicts: Sequence[Verdict], what: str) -> str:
    return f"{sum(one.mapped for one in verdicts)} of {len(verdicts)} {what} mapped"
