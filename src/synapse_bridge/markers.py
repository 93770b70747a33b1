"""What annotations say to the bridge that pydantic and ``annotated_types`` have no words for."""

from __future__ import annotations


class BigInt:
    """An integer of any size: ``Annotated[int, BigInt]``.

    A plain ``int`` travels as 64 bits, and a greater one is refused. With this marker it travels as
    decimal digits, so that Python and Elixir, which both have integers of any size, lose nothing.
    """
