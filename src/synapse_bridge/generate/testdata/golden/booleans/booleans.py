"""Truth values."""

from pydantic import BaseModel, Field


class Switch(BaseModel):
    on: bool
    locked: bool = True
    broken: bool | None = None
    known: bool | None = True
    made: bool = Field(default_factory=bool)


EXAMPLES = [
    Switch(on=True),
    Switch(on=False, locked=False, broken=False, known=None, made=True),
]


def flip(switch: Switch, twice: bool = False) -> bool:
    """Flips a switch."""
    return switch.on == twice


def echo(value: Switch) -> Switch:
    """Returns the switch."""
    return value
