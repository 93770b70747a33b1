"""Numbers of any size and precision."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from synapse_bridge import BigInt

Big = Annotated[int, BigInt]


class Numbers(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")

    big: Big
    positive: Annotated[int, BigInt, Field(gt=0)] = 2**64
    small: Big = -1
    maybe_big: Big | None = None
    bigs: list[Big] = []
    bigs_by_name: dict[str, Big] = {}
    maybe_bigs: list[Big | None] = []
    amount: Decimal
    price: Annotated[Decimal, Field(ge=0, decimal_places=2)] = Decimal("1.50")
    maybe_amount: Decimal | None = None
    amounts: list[Decimal] = []
    amounts_by_name: dict[str, Decimal] = {}
    infinite: Annotated[Decimal, Field(allow_inf_nan=True)] = Decimal("Infinity")


EXAMPLES = [
    Numbers(big=0, amount=Decimal(0)),
    Numbers(
        big=-(2**64),
        positive=10**5000,
        small=2**63,
        maybe_big=7,
        bigs=[2**200, -1],
        bigs_by_name={"a": -(10**40)},
        maybe_bigs=[None, 10**20],
        amount=Decimal("-1.2300E+400"),
        price=Decimal("0.10"),
        maybe_amount=Decimal("1E-30"),
        amounts=[Decimal("-0"), Decimal("0.000")],
        amounts_by_name={"a": Decimal("123456789012345678901234567890.5")},
        infinite=Decimal("-Infinity"),
    ),
]


def factorial(number: int, limit: Big = 10**100) -> Big:
    """A number that soon needs more than 64 bits."""
    result = 1
    for factor in range(2, number + 1):
        result *= factor
    return min(result, limit)


def total(amounts: list[Decimal], tax: Decimal | None = None) -> Decimal:
    """The sum of some amounts."""
    return sum(amounts, tax or Decimal(0))


def split(amount: Decimal) -> dict[str, Decimal]:
    """The whole amount and the rest."""
    return {"whole": amount // 1, "rest": amount % 1}


def echo(value: Numbers) -> Numbers:
    """Returns the numbers."""
    return value
