"""The type table of the documentation, written from the registry so that it cannot drift."""

from __future__ import annotations

from synapse_bridge.contract.registry import ROWS, Row

_INNER = {
    "custom": {"name": ("Colour", "", ""), "item": ("", "string", "String.t()")},
    "list": {"item": ("T", "T", "t")},
    "set": {"item": ("T", "T", "t")},
    "tuple": {"name": ("", "TupleOfAB", ""), "items": ("A, B", "", "a, b")},
    "map": {"key": ("K", "K", "k"), "value": ("V", "V", "v")},
    "nullable": {"item": ("T", "T", "t")},
    "message": {"name": ("Order", "Order", "MyApp.Order")},
    "enum": {"name": ("Currency", "Currency", "MyApp.Currency")},
    "union": {"name": ("A | B", "OrderPayment", "MyApp.OrderPayment")},
    "root": {"name": ("RootModel[T]", "", ""), "item": ("", "T", "t")},
}
"""What stands for the inner types of a row: in Python, in the proto, in Elixir."""

_SHOWN = [kind for kind in ROWS if kind != "wrapped"]


def type_table() -> str:
    """A Markdown table with one line for each kind of value."""
    lines = ["| Python | proto3 | Elixir | constraints | notes |", "|---|---|---|---|---|"]
    lines += [_line(ROWS[kind], _INNER.get(kind, {})) for kind in _SHOWN]
    return "\n".join(lines) + "\n"


def _line(row: Row, inner: dict[str, tuple[str, str, str]]) -> str:
    python, proto, elixir = (
        f"`{template}`".format(**{name: texts[column] for name, texts in inner.items()})
        for column, template in enumerate((row.python, row.proto, row.elixir_type))
    )
    constraints = ", ".join(f"`{name}`" for name in sorted(row.constraints))
    cells = (python, proto, elixir, constraints, row.notes)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
