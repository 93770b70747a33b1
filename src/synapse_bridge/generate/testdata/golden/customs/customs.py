"""Types that travel as others."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from pydantic import BaseModel, ByteSize, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["allowed", "echo", "mix", "pay", "plan"]


class Permission(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    ADMIN = READ | WRITE


class Mode(enum.IntFlag):
    FAST = 1
    SAFE = 4


class Colour:
    """A colour that knows its pydantic schema."""

    def __init__(self, red: int, green: int, blue: int) -> None:
        self.parts = red, green, blue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Colour) and self.parts == other.parts

    @classmethod
    def parse(cls, text: str) -> Colour:
        if len(text) != 7 or text[0] != "#":
            raise ValueError("a colour is written as #rrggbb")
        return cls(*bytes.fromhex(text[1:]))

    def __str__(self) -> str:
        return "#" + bytes(self.parts).hex()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(
            cls.parse, core_schema.str_schema()
        )
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


@dataclasses.dataclass(frozen=True)
class Money:
    """An amount that callers see as cents."""

    whole: int
    cents: int


def money_to_cents(money: Money) -> int:
    return money.whole * 100 + money.cents


def money_from_cents(cents: int) -> Money:
    return Money(*divmod(cents, 100))


class Route:
    """Two or more stops; callers see their names."""

    def __init__(self, stops: list[str]) -> None:
        self.stops = stops

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Route) and self.stops == other.stops


def stops(route: Route) -> list[str]:
    return route.stops


class Account(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    permission: Permission
    mode: Mode = Mode.FAST
    modes: list[Mode] = []
    colour: Colour
    spare: Colour | None = None
    colours: dict[str, Colour] = {}
    quota: ByteSize = ByteSize(0)
    balance: Money
    limit: Money = Money(10, 0)
    maybe: Money | None = None
    history: list[Money] = []
    by_year: dict[int, Money] = {}
    route: Route | None = None
    routes: list[Route] = []
    note: Any = ""
    age: int = 0


EXAMPLES = [
    Account(permission=Permission(0), colour=Colour(0, 0, 0), balance=Money(0, 0)),
    Account(
        permission=Permission.ADMIN,
        mode=Mode.FAST | Mode.SAFE,
        modes=[Mode(0), Mode.SAFE],
        colour=Colour(255, 0, 128),
        spare=Colour(1, 2, 3),
        colours={"a": Colour(4, 5, 6)},
        quota=ByteSize(2**40),
        balance=Money(-1, 50),
        limit=Money(5, 5),
        maybe=Money(0, 1),
        history=[Money(1, 0)],
        by_year={2024: Money(2, 0)},
        route=Route(["a", "b"]),
        routes=[Route([]), Route(["c"])],
        note="n",
        age=7,
    ),
]


def pay(balance: Money, amount: Money | None = None) -> Money:
    """The balance after a payment."""
    return balance


def allowed(permission: Permission, raw=3) -> list[Permission]:
    """All permissions within one."""
    return [*permission]


def mix(colours: list[Colour], total: Any = 0) -> Colour | None:
    """One colour of several."""
    return colours[0] if colours else None


def plan(route: Route) -> Any:
    """The names of the stops."""
    return route.stops


def echo(value: Account) -> Account:
    """Returns the account."""
    return value
