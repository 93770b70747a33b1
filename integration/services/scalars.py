"""Values without inner structure: dates, identifiers, secrets, numbers of any size, any value.

One identity function for each kind, a model with all of them, and results that cannot be carried.
"""

from __future__ import annotations

import enum
import ipaddress
import pathlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    IPvAnyAddress,
    JsonValue,
    NaiveDatetime,
    PlainSerializer,
    SecretBytes,
    SecretStr,
    field_serializer,
)

from synapse_bridge import BigInt

__all__ = [
    "add",
    "describe",
    "echo",
    "echo_any",
    "echo_bigint",
    "echo_date",
    "echo_datetime",
    "echo_decimal",
    "echo_email",
    "echo_ip",
    "echo_json",
    "echo_network",
    "echo_path",
    "echo_permission",
    "echo_regex",
    "echo_secret",
    "echo_size",
    "echo_tensor",
    "echo_time",
    "echo_timedelta",
    "echo_url",
    "echo_uuid",
    "echo_wall",
    "fail_with_secret",
    "later",
    "mask",
    "misfit_any",
    "misfit_date",
    "misfit_datetime",
    "misfit_regex",
    "misfit_timedelta",
    "pay",
    "round_up",
    "scale",
    "within",
]


class Permission(enum.Flag):
    """What may be done."""

    READ = 1
    WRITE = 2
    ADMIN = 8


@dataclass(frozen=True)
class Money:
    """An amount of money; callers have a type of their own for it."""

    whole: int
    cents: int


def money_to_cents(money: Money) -> int:
    """What travels of an amount."""
    return money.whole * 100 + money.cents


def money_from_cents(cents: int) -> Money:
    """An amount, of what travelled."""
    if cents == 1300:
        raise ValueError("nobody pays 13")
    return Money(*divmod(cents, 100))


class Everything(BaseModel):
    """One field for each kind of value, and some that hold several."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    at: datetime
    since: datetime = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    wall: NaiveDatetime
    day: date
    clock: time
    span: timedelta
    timeout: timedelta = timedelta(seconds=1.5)
    id: uuid.UUID
    path: pathlib.Path
    url: HttpUrl
    email: EmailStr
    ip: IPvAnyAddress
    network: ipaddress.IPv4Network
    pattern: re.Pattern[str]
    amount: Decimal
    big: Annotated[int, BigInt]
    secret: SecretStr
    key: SecretBytes
    permission: Permission
    size: ByteSize
    price: Money
    value: Any
    tensor: np.ndarray
    ats: list[datetime | None] = []
    ids: dict[str, uuid.UUID] = {}
    amounts: list[Decimal] = []
    values: list[Any] = []
    prices: dict[str, Money] = {}
    secrets: list[SecretStr] = []
    maybe_day: date | None = None
    maybe_price: Money | None = None


def echo(value: Everything) -> Everything:
    """Returns everything."""
    return value


def echo_datetime(value: datetime) -> datetime:
    """Returns an instant."""
    return value


def echo_wall(value: NaiveDatetime) -> NaiveDatetime:
    """Returns what a clock on the wall shows."""
    return value


def echo_date(value: date) -> date:
    """Returns a date."""
    return value


def echo_time(value: time) -> time:
    """Returns a time."""
    return value


def echo_timedelta(value: timedelta) -> timedelta:
    """Returns a span of time."""
    return value


def echo_uuid(value: uuid.UUID) -> uuid.UUID:
    """Returns an identifier."""
    return value


def echo_path(value: pathlib.Path) -> pathlib.Path:
    """Returns a path."""
    return value


def echo_url(value: HttpUrl) -> HttpUrl:
    """Returns an address of the web."""
    return value


def echo_email(value: EmailStr) -> EmailStr:
    """Returns an e-mail address."""
    return value


def echo_ip(value: IPvAnyAddress) -> IPvAnyAddress:
    """Returns an IP address."""
    return value


def echo_network(value: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
    """Returns a network."""
    return value


def echo_regex(value: re.Pattern[str]) -> re.Pattern[str]:
    """Returns a regular expression."""
    return value


def echo_decimal(value: Annotated[Decimal, Field(allow_inf_nan=True)]) -> Decimal:
    """Returns an exact number."""
    return value


def echo_bigint(value: Annotated[int, BigInt]) -> Annotated[int, BigInt]:
    """Returns an integer of any size."""
    return value


def echo_secret(value: Annotated[SecretStr, Field(max_length=8)]) -> SecretStr:
    """Returns a secret."""
    return value


def echo_permission(value: Permission) -> Permission:
    """Returns flags."""
    return value


def echo_size(value: ByteSize) -> ByteSize:
    """Returns a number of bytes."""
    return value


def echo_any(value: Any) -> Any:
    """Returns whatever it gets."""
    return value


def echo_json(value: JsonValue) -> JsonValue:
    """Returns a value of JSON."""
    return value


def echo_tensor(value: np.ndarray) -> np.ndarray:
    """Returns an array of numbers."""
    return value


def describe(value: Any) -> str:
    """What Python has got."""
    return repr(value)


def later(at: datetime, by: timedelta = timedelta(days=1)) -> datetime:
    """The instant that is so much later."""
    return at + by


def scale(tensor: np.ndarray, factor: float = 2.0) -> np.ndarray:
    """All numbers times a factor."""
    return tensor * factor


def pay(balance: Money, amount: Money | None = None) -> Money:
    """The balance after a payment."""
    cents = money_to_cents(balance) - (money_to_cents(amount) if amount else 0)
    return money_from_cents(cents)


def within(  # type: ignore[no-untyped-def] # the configuration has it
    network: ipaddress.IPv4Network, raw=1
) -> list[Any]:
    """The first addresses of a network; how many is said by the configuration's annotation."""
    return [str(network[n]) for n in range(raw)]


def add(total: Any, numbers: list) -> Any:  # type: ignore[type-arg] # of anything
    """The sum; the configuration says that all are integers of any size."""
    return total + sum(numbers)


def round_up(price: Annotated[float, BeforeValidator(lambda value: value + 0.5)]) -> int:
    """What a validator made of a number."""
    return int(price)


class Masked(BaseModel):
    """Fields whose serializers say what callers see."""

    iban: str
    ratio: Annotated[float, PlainSerializer(lambda value: round(value, 2))] = 0.0
    at: Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]

    @field_serializer("iban")
    def last_digits(self, iban: str) -> str:
        """Not all of it."""
        return "…" + iban[-4:]


def mask(value: Masked) -> Masked:
    """Returns what it gets; callers see what the serializers leave."""
    assert isinstance(value.at, datetime)
    return value


def fail_with_secret(password: SecretStr) -> None:
    """Fails with an error of pydantic's that is about the secret."""
    Everything.model_validate({"secret": password.get_secret_value(), "day": password})


def misfit_datetime(kind: str) -> datetime:
    """Returns no instant that can be carried."""
    east = timezone(timedelta(hours=1))
    return {"naive": datetime(2024, 5, 1), "year 0": datetime(1, 1, 1, tzinfo=east)}[kind]


def misfit_date() -> date:
    """Returns more than a date."""
    return datetime(2024, 5, 1, tzinfo=UTC)


def misfit_timedelta() -> timedelta:
    """Returns more than protobuf's ten thousand years."""
    return timedelta(days=9_999_999)


def misfit_regex() -> re.Pattern[str]:
    """Returns a regular expression whose text does not say all."""
    return re.compile("a", re.IGNORECASE)


def misfit_any(kind: str) -> Any:
    """Returns what is no value in Elixir."""
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    values = {
        "object": [object()],
        "tuple": {"a": [(1, 2)]},
        "keys": [{1: 2}],
        "surrogate": ["\ud800"],
        "cyclic": cyclic,
        "deep": deep,
    }
    return values[kind]
