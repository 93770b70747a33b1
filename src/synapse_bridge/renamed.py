"""What code says about names it had before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenamedFrom:
    """The earlier name of a field or parameter: ``total: Annotated[int, RenamedFrom("sum")]``.

    With a lock, the new name keeps the number of the old one, so that clients which know the field
    by the old name go on working. Once ``synapse_bridge lock`` has written the new name it has done
    its work, and may be removed. Classes, functions and enum members are renamed in the
    configuration (``renamed:``).
    """

    name: str
